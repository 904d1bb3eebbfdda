import type { KnownPlaces, PartPlaces } from "./part-places.ts";
import { notPlain, scalarOf } from "./plain-scalars.ts";
import type { PlainText } from "./plain-text.ts";

const closingBrace = 125;
const closingBracket = 93;

/** Reads `{ … }` and `[ … ]`. `indent`: the column that lines after the first must be beyond. */
export function readFlow(text: PlainText, known: KnownPlaces, indent: number): unknown {
  const isMap = text.code === 123;
  const places: PartPlaces = { at: text.at, names: isMap ? [] : undefined, nameAts: [], valueAts: [], values: [] };
  const object: Record<string, unknown> = {};
  const closing = isMap ? closingBrace : closingBracket;
  text.at++;
  for (;;) {
    skipBlank(text, indent);
    if (text.code === closing) break;
    if (isMap) readPair(text, known, indent, object, places);
    else readElement(text, known, indent, places);
    skipBlank(text, indent);
    if (text.code === 44) text.at++;
    else if (text.code !== closing) throw notPlain;
  }
  text.at++;
  const value = isMap ? object : places.values;
  known.set(value, places);
  return value;
}

function readPair(text: PlainText, known: KnownPlaces, indent: number, object: Record<string, unknown>, places: PartPlaces): void {
  const from = text.at;
  const isQuoted = text.code === 34 || text.code === 39;
  const name = isQuoted ? text.quoted() : text.plain(true);
  text.colon(from, isQuoted);
  skipBlank(text, indent);
  addNamed(object, places, name, from, text.at, readValue(text, known, indent));
}

function readElement(text: PlainText, known: KnownPlaces, indent: number, places: PartPlaces): void {
  places.valueAts.push(text.at);
  places.values.push(readValue(text, known, indent));
}

/** Without one, or as the name of a pair, it is more than plain YAML: another part of a collection must follow then. */
function readValue(text: PlainText, known: KnownPlaces, indent: number): unknown {
  const { code } = text;
  if (code === 123 || code === 91) return readFlow(text, known, indent);
  if (code === 34 || code === 39) return text.quoted();
  return scalarOf(text.plain(true));
}

/** Adds a value by its name. A name that is there twice is for the package to refuse. */
export function addNamed(
  object: Record<string, unknown>,
  places: PartPlaces,
  name: string,
  nameAt: number,
  valueAt: number,
  value: unknown,
): void {
  if (name === "__proto__" || name === "<<" || Object.hasOwn(object, name)) throw notPlain;
  object[name] = value;
  places.names?.push(name);
  places.nameAts.push(nameAt);
  places.valueAts.push(valueAt);
  places.values.push(value);
}

function skipBlank(text: PlainText, indent: number): void {
  text.skipSpaces();
  if (!text.isEndOfLine()) return;
  text.nextLine();
  if (text.isAtEnd || text.column <= indent) throw notPlain;
}
