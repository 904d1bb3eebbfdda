import { type LinearRegex, linearRegex } from "../../patterns/linear-regex.ts";

/** Regular expressions of which every combination of matches is looked at. */
const maxFree = 5;

/** For each regular expression, by its source, whether a text matches. */
export type Matches = ReadonlyMap<string, boolean>;

/**
 * Regular expressions, each compiled once. A diff does not know which texts they match: it takes every combination for possible, and looks for a text that
 * shows it.
 */
export class RegexGuesses {
  readonly #compiled: ReadonlyMap<string, LinearRegex>;
  /** Texts that are likely to match some of them. */
  readonly texts: readonly string[];

  constructor(sources: readonly string[]) {
    this.#compiled = new Map(sources.map((source) => [source, linearRegex(source)]));
    this.texts = sources.flatMap((source) => {
      const text = likelyMatch(source);
      return this.#compiled.get(source)?.matches(text) === true ? [text, `${text}0`, `${text}x`] : [];
    });
  }

  /** Which of `sources` a text matches. */
  of(sources: readonly string[], text: string): Matches {
    return new Map(sources.map((source) => [source, this.#compiled.get(source)?.matches(text) === true]));
  }

  /** All combinations of matches of `sources`. */
  combinations(sources: readonly string[], cut: (reason: string) => void): readonly Matches[] {
    if (sources.length > maxFree)
      cut(`of ${sources.length} regular expressions about the same requests, ${maxFree} are combined with each other`);
    const free = sources.slice(0, maxFree);
    return Array.from(
      { length: 2 ** free.length },
      (_, bits) => new Map(free.map((source, index) => [source, ((bits >> index) & 1) === 1])),
    );
  }
}

/** A text that an ordinary expression matches: one character of each class, each repetition once, the first of alternatives. */
function likelyMatch(source: string): string {
  return source
    .replace(/^\^|\$$/g, "")
    .replace(/\(\?:|\(\?P?<\w+>/g, "(")
    .replace(/\(([^()|]*)\|[^()]*\)/g, "$1")
    .replace(/^([^()[\]|]*)\|.*$/, "$1")
    .replace(/\[\^[^[\]]*\]/g, "x")
    .replace(/\[(\\?[^[\]])[^[\]]*\]/g, "$1")
    .replace(/\\d/g, "0")
    .replace(/\\w/g, "a")
    .replace(/\{\d+(?:,\d*)?\}/g, "")
    .replace(/(?<!\\)[+*?()]/g, "")
    .replace(/(?<!\\)\./g, "x")
    .replace(/\\(.)/g, "$1");
}

/** The matches in words: ` that matches /a+/ and does not match /b/`. */
export function matchesInWords(matches: Matches): string {
  const words = [...matches].map(([source, isMatch]) => `${isMatch ? "matches" : "does not match"} /${source}/`);
  return words.length === 0 ? "" : ` that ${words.join(" and ")}`;
}
