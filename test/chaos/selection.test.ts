import { describe, expect, it } from "vitest";
import { available } from "../servers/available.ts";
import { faults, notYet } from "./faults/index.ts";
import type { Need } from "./rig/fault.ts";
import { lineOf } from "./rig/line.ts";
import { isThere } from "./rig/needs.ts";
import { runFault } from "./rig/run-fault.ts";

/** The rows of every run of the tests: one or two of each kind, the quick ones. `npm run chaos` runs them all, and for longer. */
const chosen: readonly string[] = "F01 F04 F10 F28 F32 F35 F36 F37 F40 F41 F42 F44 F45 F46 F51 F53 F55 F57 F64 F67 F68 F71".split(" ");
const options = { seed: 7, seconds: 4, rps: 100, clients: 1, has: isThere };
/** Rows side by side: most of a row is waiting. */
const atATime = 2;

const waiting: (() => void)[] = [];
let running = 0;

/** Runs at most {@link atATime} at a time. */
async function inTurn<T>(run: () => Promise<T>): Promise<T> {
  if (running >= atATime) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await run();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function isHere(need: Need): boolean {
  return need === "prlimit" ? isThere(need) : available(need);
}

describe("the fault table", () => {
  it("has each row once, those that have to wait included", () => {
    const ids = [...faults, ...notYet].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^F\d{2,3}$/.test(id))).toEqual([]);
    expect(chosen.filter((id) => !faults.some((fault) => fault.id === id))).toEqual([]);
  });

  for (const fault of faults.filter(({ id }) => chosen.includes(id))) {
    const isRunnable = (fault.needs ?? []).every(isHere);
    // The time includes the wait for its turn.
    it.skipIf(!isRunnable).concurrent(`${fault.id}: the mesh keeps its promises through ${fault.name}`, { timeout: 300_000 }, async () => {
      const result = await inTurn(() => runFault(fault, options));
      const line = lineOf(result, { seed: options.seed, node: process.version.slice(1) });
      console.log(line);
      expect(result.status, line).toBe("pass");
    });
  }
});
