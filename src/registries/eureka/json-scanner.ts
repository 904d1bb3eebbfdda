const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Bytes that are scanned between two pauses: about a tenth of a millisecond. */
const strideBytes = 65_536;

type Steps<T = void> = Generator<void, T, undefined>;

/** A value in the text: its first byte, and the first one after it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks through JSON without making objects of it, so that only what is of interest is parsed. Its methods are generators that yield every
 * 64 KiB. It checks how values are nested, not what they hold: `JSON.parse` does that with those that are read. Throws where the text is not
 * nested as JSON is.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at = 0;
  #pauseAt = strideBytes;

  constructor(text: Buffer) {
    this.#bytes = text;
    this.#buffer = text;
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
    this.#take(openBrace);
    if (this.#takeIf(closeBrace)) return;
    do {
      const start = this.#at;
      if (this.#bytes[start] !== quote) throw notJson();
      this.#skipString();
      const key: unknown = parse(this.#buffer.toString("utf8", start, this.#at));
      this.#skipSpace();
      this.#take(colon);
      yield* visit(String(key));
    } while (this.#takeIf(comma));
    this.#take(closeBrace);
  }

  /** Reads each element of the list that begins here, or the value itself: older codecs write a list of one as the element. */
  *list(visit: () => Steps): Steps {
    if (this.#bytes[this.#at] !== openBracket) return yield* visit();
    this.#take(openBracket);
    if (this.#takeIf(closeBracket)) return;
    do yield* visit();
    while (this.#takeIf(comma));
    this.#take(closeBracket);
  }

  /** Skips the value that begins here, and returns where it is. */
  *value(): Steps<Span> {
    const start = this.#at;
    const first = this.#bytes[start];
    if (first === quote) this.#skipString();
    else if (first !== openBrace && first !== openBracket) this.#skipLiteral();
    else for (let depth = this.#skipInside(0); depth > 0; depth = this.#skipInside(depth)) yield;
    if (this.#at === start) throw notJson();
    const end = this.#at;
    this.#skipSpace();
    return { start, end };
  }

  /** Skips to the end of the container, or to the next pause. Returns the depth at which it stopped, 0 at the end. */
  #skipInside(from: number): number {
    const bytes = this.#bytes;
    const pauseAt = this.#pauseAt;
    let depth = from;
    let at = this.#at;
    do {
      const byte = bytes[at++];
      if (byte === quote) {
        for (let inner = bytes[at]; inner !== quote; inner = bytes[at]) {
          if (inner === undefined) throw notJson();
          at += inner === backslash ? 2 : 1;
        }
        at++;
      } else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) depth--;
      else if (byte === undefined) throw notJson();
    } while (depth > 0 && at < pauseAt);
    if (at >= pauseAt) this.#pauseAt = at + strideBytes;
    this.#at = at;
    return depth;
  }

  #skipString(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    if (at >= bytes.length) throw notJson();
    this.#at = at + 1;
  }

  #skipLiteral(): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.length && /[\w.+-]/.test(String.fromCharCode(bytes[this.#at] as number))) this.#at++;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    for (let byte = bytes[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[this.#at]) this.#at++;
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
}

/** Parses JSON. The parser's own message would quote the text, which may be long and hold anything. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function notJson(): Error {
  return new Error("answered with something that is not JSON");
}
