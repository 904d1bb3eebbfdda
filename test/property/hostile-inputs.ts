import fc from "fast-check";
import { expect } from "vitest";

/** The same inputs in each run. */
export const seed = 16;
/** A parser must not hold the process: on an idle machine each takes less than 50 ms at its bound, and this one is busy. */
const maxMs = 2_000;

/** Runs a parser, which may throw its own error alone; the result, or `undefined`. */
export function read<Result>(parse: () => Result, ownError?: abstract new (...args: never[]) => Error): Result | undefined {
  const startedAt = performance.now();
  try {
    return parse();
  } catch (error) {
    if (ownError === undefined) throw error;
    expect(error).toBeInstanceOf(ownError);
    return undefined;
  } finally {
    expect(performance.now() - startedAt).toBeLessThan(maxMs);
  }
}

/** Texts of these pieces, and of odd characters between them. */
export const bits = (pieces: readonly string[], maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 3, unit: "binary" })), { maxLength })
    .map((all) => all.join(""));

/** Any value of JSON. */
export const anyJson: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 4 });
