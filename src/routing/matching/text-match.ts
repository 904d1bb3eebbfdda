import { quoted } from "../../core/text/clean-text.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import type { TextMatch } from "../route-match.ts";

/** The test of a {@link TextMatch}. */
export interface TextTest {
  readonly demand: string;
  /** `undefined`: the text is not there. */
  holds(text: string | undefined): boolean;
}

type Parts = Exclude<TextMatch, string>;
type Test = (text: string) => boolean;

/**
 * Compiles a match of a text. A text that is not there matches nothing but `present: false`, and what `not` turns round.
 * @throws Error for a wrong pattern.
 */
export function textTest(match: TextMatch): TextTest {
  if (typeof match === "string") return { demand: `is ${quoted(match)}`, holds: (text) => text === match };
  const { present, not = false } = match;
  const { test, demand } = partTest(match);
  if (test === undefined) {
    const isWanted = (present ?? true) !== not;
    return { demand: isWanted ? "is there" : "is not there", holds: (text) => (text !== undefined) === isWanted };
  }
  const said = not ? `not: ${demand}` : demand;
  // `present` beside another part demands a text of which that part holds, or with `not` does not hold.
  if (present === true) return { demand: said, holds: (text) => text !== undefined && test(text) !== not };
  return { demand: said, holds: (text) => (text !== undefined && test(text)) !== not };
}

function partTest(match: Parts): { readonly test: Test | undefined; readonly demand: string } {
  const { exact, prefix, suffix, contains, pattern, range, ignoreCase = false } = match;
  const fold = ignoreCase ? (text: string): string => text.toLowerCase() : undefined;
  const folded = (wanted: string, compare: (text: string, wanted: string) => boolean): Test => {
    const plain = fold?.(wanted) ?? wanted;
    return fold === undefined ? (text) => compare(text, plain) : (text) => compare(fold(text), plain);
  };
  if (exact !== undefined) return { test: folded(exact, (text, wanted) => text === wanted), demand: `is ${quoted(exact)}` };
  if (prefix !== undefined)
    return { test: folded(prefix, (text, wanted) => text.startsWith(wanted)), demand: `begins with ${quoted(prefix)}` };
  if (suffix !== undefined) return { test: folded(suffix, (text, wanted) => text.endsWith(wanted)), demand: `ends with ${quoted(suffix)}` };
  if (contains !== undefined)
    return { test: folded(contains, (text, wanted) => text.includes(wanted)), demand: `contains ${quoted(contains)}` };
  if (pattern !== undefined) {
    const regex = linearRegex(pattern, { ignoreCase });
    return { test: (text) => regex.matches(text), demand: `matches ${quoted(pattern)}` };
  }
  if (range !== undefined) {
    const [from, to] = range;
    return { test: (text) => isWithin(text, from, to), demand: `is a number from ${from} and below ${to}` };
  }
  return { test: undefined, demand: "" };
}

function isWithin(text: string, from: number, to: number): boolean {
  if (!/^[+-]?\d{1,15}$/.test(text)) return false;
  const number = Number(text);
  return number >= from && number < to;
}
