import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** Long enough that an expression of quadratic time takes a tenth of a second and more. */
const length = 20_000;
/** Milliseconds of processor time; a linear expression needs less than one. */
const limitMs = 25;
const everywhere = ["a", "0", " ", "/", ".", "-", ":", "=", '"', "é"];

/** The regular expressions in `src`, with the places where they are. */
async function expressions(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const path of glob("src/**/*.ts")) {
    const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node))
        found.set(node.getText(), `${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Texts of one or two characters, over and over, after a character or none: those of the expression itself, and some that classes have. */
function* inputs(literal: string): Generator<string> {
  const own = [...new Set(literal.replace(/\\[a-zA-Z]/g, ""))].filter((each) => !"\\^$*+?()[]{}|".includes(each));
  const escaped = [...literal.matchAll(/\\([^a-zA-Z])/g)].map(([, each]) => each as string);
  const letters = [...new Set([...own, ...escaped, ...everywhere])].slice(0, 16);
  for (const one of letters) {
    for (const prefix of ["", ...letters]) yield `${prefix}${one.repeat(length)}\0`;
    for (const two of letters) if (one !== two) yield `${(one + two).repeat(length / 2)}\0`;
  }
}

/** The least of three measurements: the machine may do something else meanwhile. */
function costOf(expression: RegExp, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3 && least > limitMs; run++) {
    const start = process.cpuUsage();
    text.replace(expression, "");
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

describe("the regular expressions of src", () => {
  it("take linear time, whatever they are given", { timeout: 120_000 }, async () => {
    const slow: string[] = [];
    const all = await expressions();
    expect(all.size).toBeGreaterThan(50);
    for (const [literal, place] of all) {
      const end = literal.lastIndexOf("/");
      const expression = new RegExp(literal.slice(1, end), literal.slice(end + 1));
      for (const text of inputs(literal)) {
        const ms = costOf(expression, text);
        if (ms > limitMs) slow.push(`${place} ${literal}: ${ms.toFixed(0)} ms for ${JSON.stringify(text.slice(0, 3))}…`);
        if (ms > limitMs) break;
      }
    }
    expect(slow).toEqual([]);
  });

  it.each(["^[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?$", "\\/+$", "(\\w+:\\/\\/)[^\\s/@]+@"])(
    "would be found if it were %s",
    (source) => {
      let worst = 0;
      for (const text of inputs(`/${source}/`)) if (worst <= limitMs) worst = costOf(new RegExp(source, "gi"), text);
      expect(worst).toBeGreaterThan(limitMs);
    },
  );
});
