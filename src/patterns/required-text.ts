import { PatternReader } from "./pattern-items.ts";

/** Texts that every text has which a pattern matches. Empty where none is plain to see. */
export interface RequiredTexts {
  /** The text that it begins with. */
  readonly beginning: string;
  /** The longest text somewhere in it. */
  readonly longest: string;
}

/** The texts that a pattern in the syntax of RE2 requires. */
export function requiredTexts(pattern: string): RequiredTexts {
  const items = new PatternReader(pattern).read() ?? [];
  let [beginning, longest, run] = ["", "", ""];
  for (const [index, { literal, least, most }] of items.entries()) {
    // Of several, the first follows what is before it.
    if (literal !== undefined && least > 0) run += literal;
    if (literal === undefined || least !== 1 || most !== 1) {
      if (run.length > longest.length) longest = run;
      run = "";
    }
    if (run.length === index + 1) beginning = run;
  }
  return { beginning, longest: run.length > longest.length ? run : longest };
}
