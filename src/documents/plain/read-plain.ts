import type { FindPlace, ReadText } from "../part-path.ts";
import { type KnownPlaces, offsetOf, type PartPlaces } from "./part-places.ts";
import { addNamed, readFlow } from "./plain-flow.ts";
import { notPlain, scalarOf } from "./plain-scalars.ts";
import { PlainText } from "./plain-text.ts";

/** Tabs, line breaks of other kinds, and characters that do not show. */
const unusual = /[^\P{Cc}\n]|[\u2028\u2029\ufeff]/u;

/**
 * Reads the part of YAML that most files have: lists and objects by indents or in brackets, and texts on one line. That takes a tenth of the time of the package,
 * which reads everything else and is the one that says what is wrong: `undefined` for all that it could take otherwise, or refuse.
 */
export function readPlain(text: string): ReadText | undefined {
  if (unusual.test(text)) return undefined;
  const known: KnownPlaces = new Map();
  let value: unknown;
  try {
    value = new PlainReader(new PlainText(text), known).read();
  } catch (error) {
    if (error === notPlain) return undefined;
    throw error;
  }
  let lineAts: readonly number[] | undefined;
  const placeOf: FindPlace = (path, isKey = false) => {
    const offset = offsetOf(value, known, path, isKey);
    if (offset === undefined) return undefined;
    lineAts ??= beginsOfLines(text);
    return placeAt(lineAts, offset);
  };
  return { value, placeOf };
}

class PlainReader {
  readonly #text: PlainText;
  readonly #known: KnownPlaces;

  constructor(text: PlainText, known: KnownPlaces) {
    this.#text = text;
    this.#known = known;
  }

  read(): unknown {
    const text = this.#text;
    if (/^(?:---|\.\.\.)/.test(text.text)) {
      // The begin of the document, alone on its line.
      if (!/^--- *\n/.test(text.text)) throw notPlain;
      text.nextLine();
    }
    text.skipSpaces();
    if (text.isEndOfLine()) text.nextLine();
    const value = this.#block(-1);
    if (!text.isAtEnd) throw notPlain;
    return value;
  }

  /** A list, an object or a collection in brackets that begins here, in a block of which the indent is `around`. */
  #block(around: number): unknown {
    const text = this.#text;
    if (text.isDash) return this.#list(text.column);
    const { code } = text;
    if (code !== 123 && code !== 91) return this.#object(text.column);
    const value = readFlow(text, this.#known, around);
    this.#endLine();
    return value;
  }

  /** An object whose first name begins here. */
  #object(column: number): unknown {
    const text = this.#text;
    const places: PartPlaces = { at: text.at, names: [], nameAts: [], valueAts: [], values: [] };
    const object: Record<string, unknown> = {};
    do {
      const from = text.at;
      const name = this.#name();
      const valueAt = this.#toValue(column);
      addNamed(object, places, name, from, valueAt, this.#value(column, valueAt));
    } while (this.#goesOn(column) && !text.isDash);
    if (this.#goesOn(column)) throw notPlain;
    this.#known.set(object, places);
    return object;
  }

  /** A list whose first dash is here. */
  #list(column: number): unknown {
    const text = this.#text;
    const places: PartPlaces = { at: text.at, names: undefined, nameAts: [], valueAts: [], values: [] };
    do {
      text.at++;
      text.skipSpaces();
      const isBelow = text.isEndOfLine();
      if (isBelow) text.nextLine();
      if (isBelow && (text.isAtEnd || text.column <= column)) throw notPlain;
      places.valueAts.push(text.at);
      places.values.push(isBelow ? this.#block(column) : this.#element(column));
    } while (this.#goesOn(column) && text.isDash);
    this.#known.set(places.values, places);
    return places.values;
  }

  /** An element on the line of its dash. */
  #element(column: number): unknown {
    const text = this.#text;
    const { code, at } = text;
    if (text.isDash) return this.#list(text.column);
    if (code === 123 || code === 91) return this.#value(column, at);
    // A name, if a colon is behind it.
    if (code === 34 || code === 39) text.quoted();
    else text.plain(false);
    text.skipSpaces();
    const isName = text.code === 58;
    text.at = at;
    return isName ? this.#object(text.column) : this.#value(column, at);
  }

  /** Whether the next part stands at this column. One that stands further to the right goes on with what was complete. */
  #goesOn(column: number): boolean {
    const text = this.#text;
    if (text.isAtEnd || text.column < column) return false;
    if (text.column > column) throw notPlain;
    return true;
  }

  #name(): string {
    const text = this.#text;
    const from = text.at;
    const name = text.code === 34 || text.code === 39 ? text.quoted() : text.plain(false);
    text.colon(from, false);
    return name;
  }

  /** Goes to the value of a name, which may stand on a later line, and returns its offset. */
  #toValue(column: number): number {
    const text = this.#text;
    text.skipSpaces();
    if (!text.isEndOfLine()) return text.at;
    text.nextLine();
    const isBelow = text.column > column || (text.column === column && text.isDash);
    if (text.isAtEnd || !isBelow) throw notPlain;
    return text.at;
  }

  /** A value that stands on the line of its name or dash, or begins a block. */
  #value(column: number, at: number): unknown {
    const text = this.#text;
    const isOnNewLine = text.text.slice(text.lineAt, at).trim() === "";
    if (isOnNewLine) return this.#block(column);
    const { code } = text;
    let value: unknown;
    if (code === 123 || code === 91) value = readFlow(text, this.#known, column);
    else if (code === 34 || code === 39) value = text.quoted();
    else value = scalarOf(text.plain(false));
    this.#endLine();
    return value;
  }

  #endLine(): void {
    const text = this.#text;
    text.skipSpaces();
    if (!text.isEndOfLine()) throw notPlain;
    text.nextLine();
  }
}

function beginsOfLines(text: string): readonly number[] {
  const begins = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) begins.push(at + 1);
  return begins;
}

function placeAt(lineAts: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = lineAts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((lineAts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - (lineAts[low] as number) + 1 };
}
