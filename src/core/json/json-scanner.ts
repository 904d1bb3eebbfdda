import type { Steps } from "./steps.ts";

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Bytes that are scanned between two pauses: about a tenth of a millisecond. */
const strideBytes = 65_536;
/** How deep values may be nested. The answers of registries are less than ten deep. */
const maxDepth = 64;
/** Values of one text of up to 32 MiB; one for 16 bytes of a longer one. Consul and Eureka write half as many. Each takes memory of its own. */
const minMaxValues = 2_000_000;
const bytesPerValue = 16;
/** Values of one object or list that is read: others go through all of them at once. */
const maxChildren = 100_000;
/** Spaces and ends of lines in a row, which are skipped at once. */
const maxSpaces = 1_048_576;
/** Bytes of one string, which is read at once. */
const maxStringBytes = 1_048_576;

/** A value in the text: its first byte, and the first one after it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text is not JSON. Bounds that it exceeds are other errors. */
export class NotJsonError extends Error {
  override readonly message = "it is not JSON";
}

/**
 * Walks through JSON without making objects of it, so that only what is of interest is parsed. Its methods are generators that yield every
 * 64 KiB. It checks how values are nested, not what they hold: `JSON.parse` does that with those that are read. Throws where the text is not
 * nested as JSON is, or exceeds one of the bounds above.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #strideBytes: number;
  readonly #maxValues: number;
  #at = 0;
  #pauseAt: number;
  #depth = 0;
  #values = 1;
  /** Whether the scan paused inside a string. */
  #isInString = false;

  constructor(text: Buffer, stride: number = strideBytes) {
    this.#bytes = text;
    this.#buffer = text;
    this.#strideBytes = stride;
    this.#maxValues = Math.max(minMaxValues, text.length / bytesPerValue);
    this.#pauseAt = stride;
    this.#skipSpace();
  }

  /** Whether the next value is an object. */
  get isObject(): boolean {
    return this.#bytes[this.#at] === openBrace;
  }

  /** Whether nothing follows. */
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Reads the object that begins here; `visit` reads the value of each key. */
  *object(visit: (key: string) => Steps): Steps {
    this.#enter(openBrace);
    if (!this.#takeIf(closeBrace)) {
      do {
        if (this.#bytes[this.#at] !== quote) throw notJson();
        const key = this.#parse(yield* this.value());
        this.#take(colon);
        yield* visit(String(key));
      } while (this.#takeNext());
      this.#take(closeBrace);
    }
    this.#depth--;
  }

  /** Reads each element of the list that begins here, or the value itself: older codecs write a list of one as the element. */
  *list(visit: () => Steps): Steps {
    if (this.#bytes[this.#at] !== openBracket) return yield* visit();
    this.#enter(openBracket);
    if (!this.#takeIf(closeBracket)) {
      do yield* visit();
      while (this.#takeNext());
      this.#take(closeBracket);
    }
    this.#depth--;
  }

  /** Skips the value that begins here, and returns where it is. */
  *value(): Steps<Span> {
    const start = this.#at;
    const first = this.#bytes[start];
    const depth = this.#depth;
    if (first !== quote && first !== openBrace && first !== openBracket) this.#skipLiteral();
    else while (!this.#skip(depth)) yield;
    if (this.#at === start) throw notJson();
    const end = this.#at;
    this.#skipSpace();
    return { start, end };
  }

  /** Parses the value that begins here: at once when it is short, else one part after the other. */
  *read(): Steps<unknown> {
    const start = this.#at;
    const first = this.#bytes[start];
    if (first !== openBrace && first !== openBracket) return this.#parse(yield* this.value());
    const [depth, values] = [this.#depth, this.#values];
    this.#pauseAt = start + this.#strideBytes;
    if (this.#skip(depth)) {
      const span = { start, end: this.#at };
      this.#skipSpace();
      return this.#parse(span);
    }
    yield;
    [this.#at, this.#depth, this.#values, this.#isInString] = [start, depth, values, false];
    return first === openBrace ? yield* this.#readObject() : yield* this.#readList();
  }

  *#readObject(): Steps<unknown> {
    const content: Record<string, unknown> = {};
    const scanner = this;
    let children = 0;
    yield* this.object(function* (key) {
      refuseMany(++children);
      const value = yield* scanner.read();
      if (key === "__proto__") Object.defineProperty(content, key, { value, enumerable: true, configurable: true, writable: true });
      else content[key] = value;
      yield;
    });
    return content;
  }

  *#readList(): Steps<unknown> {
    const content: unknown[] = [];
    const scanner = this;
    yield* this.list(function* () {
      refuseMany(content.length + 1);
      content.push(yield* scanner.read());
      yield;
    });
    return content;
  }

  /** Skips to the end of the string or container at the depth `base`, or to the next pause. Returns whether it is at the end. */
  #skip(base: number): boolean {
    const bytes = this.#bytes;
    const pauseAt = this.#pauseAt;
    let [depth, values, at, isInString] = [this.#depth, this.#values, this.#at, this.#isInString];
    do {
      const byte = bytes[at++];
      if (isInString) {
        if (byte === backslash) at++;
        else if (byte === quote) isInString = false;
        else if (byte === undefined) throw notJson();
      } else if (byte === quote) isInString = true;
      else if (byte === comma) values++;
      else if (byte === openBrace || byte === openBracket) {
        values++;
        if (++depth > maxDepth) throw new Error(`the JSON is nested deeper than ${maxDepth}`);
      } else if (byte === closeBrace || byte === closeBracket) depth--;
      else if (byte === undefined) throw notJson();
    } while ((isInString || depth > base) && at < pauseAt);
    if (at > bytes.length) throw notJson();
    if (at >= pauseAt) this.#pauseAt = at + this.#strideBytes;
    [this.#depth, this.#at, this.#isInString] = [depth, at, isInString];
    this.#count(values - this.#values);
    return !isInString && depth === base;
  }

  #skipLiteral(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    // No number that is meant has a thousand digits, and looking for its end must not take long.
    while (at - this.#at < 1_000 && isLiteral(bytes[at])) at++;
    this.#at = at;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    const end = this.#at + maxSpaces;
    for (let byte = bytes[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[this.#at]) {
      if (this.#at++ === end) throw new Error(`the JSON has more than ${maxSpaces} spaces in a row`);
    }
  }

  #enter(byte: number): void {
    this.#take(byte);
    this.#count(1);
    if (++this.#depth > maxDepth) throw new Error(`the JSON is nested deeper than ${maxDepth}`);
  }

  #takeNext(): boolean {
    if (!this.#takeIf(comma)) return false;
    this.#count(1);
    return true;
  }

  #take(byte: number): void {
    if (!this.#takeIf(byte)) throw notJson();
  }

  #takeIf(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  #count(more: number): void {
    this.#values += more;
    if (this.#values > this.#maxValues) throw new Error(`the JSON has more than ${Math.floor(this.#maxValues)} values`);
  }

  /** The parser's own message would quote the text, which may be long and hold anything. */
  #parse({ start, end }: Span): unknown {
    if (end - start > maxStringBytes) throw new Error(`the JSON has a string of more than ${maxStringBytes} bytes`);
    try {
      return JSON.parse(this.#buffer.toString("utf8", start, end));
    } catch {
      throw notJson();
    }
  }
}

/** Parses the JSON in `text`, or in a part of it, in steps. Throws as {@link JsonScanner} does. */
export function* readJson(text: Buffer, stride?: number): Steps<unknown> {
  const scanner = new JsonScanner(text, stride);
  const value = yield* scanner.read();
  if (!scanner.isAtEnd) throw notJson();
  return value;
}

function isLiteral(byte = 0): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function refuseMany(children: number): void {
  if (children > maxChildren) throw new Error(`the JSON has an object or a list of more than ${maxChildren} values`);
}

function notJson(): Error {
  return new NotJsonError();
}
