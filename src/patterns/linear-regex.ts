import { expandedSize } from "./expanded-size.ts";
import { loadRe2 } from "./re2js-package.cjs";

/** A regular expression that takes time in proportion to the text, whatever the text is. */
export interface LinearRegex {
  /** Whether it matches the whole of a text. */
  matches(text: string): boolean;
  /** The text with every place that matches replaced; `$1` in the replacement stands for the first group, `$$` for a dollar sign. */
  replaceAll(text: string, replacement: string): string;
  /** About how many instructions its automaton has, in each of which a text may be at a time. */
  readonly size: number;
  /** How many groups it has. */
  readonly groups: number;
}

/** How a {@link linearRegex} reads texts. */
export interface LinearRegexOptions {
  /** @default false */
  readonly ignoreCase?: boolean | undefined;
}

/** Characters of an expression: the automaton of a longer one takes memory without a use. */
const maxLength = 1_024;
/** Its atoms, each as often as it is repeated: an automaton of so many takes some milliseconds to make. */
const maxSize = 4_096;

/**
 * Compiles an expression in the syntax of RE2, which has no backtracking: a caller cannot make a match take long.
 * @throws Error saying why, for a wrong expression and where the package is not installed.
 */
export function linearRegex(source: string, { ignoreCase = false }: LinearRegexOptions = {}): LinearRegex {
  if (source.length > maxLength) throw new Error(`the regular expression has ${source.length} characters; ${maxLength} are allowed`);
  const size = expandedSize(source);
  if (size > maxSize) throw new Error(`the regular expression repeats too much: about ${size} states, and ${maxSize} are allowed`);
  const { RE2JS } = load();
  try {
    const compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return {
      matches: (text) => compiled.matches(text),
      replaceAll: (text, replacement) => compiled.matcher(text).replaceAll(replacement),
      size: Math.max(size, compiled.programSize()),
      groups: compiled.groupCount(),
    };
  } catch (error) {
    throw new Error(`the regular expression is wrong: ${(error as Error).message}`, { cause: error });
  }
}

function load(): ReturnType<typeof loadRe2> {
  try {
    return loadRe2();
  } catch (error) {
    throw new Error("regular expressions need the npm package re2js: npm install re2js", { cause: error });
  }
}
