// npm run chaos [-- --only F35,F36 --seed 7 --seconds 10 --rps 300 --clients 2 --side 1 --node PROGRAM --json FILE]
// Runs the rows of the fault table, one line each, then the totals. Ends with 1 when a row failed.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { faults, notYet } from "./faults/index.ts";
import { lineOf, totals } from "./rig/line.ts";
import { isThere } from "./rig/needs.ts";
import { type Result, runFault } from "./rig/run-fault.ts";
import { timelineOf } from "./rig/timeline.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string", default: "7" },
    seconds: { type: "string", default: "10" },
    rps: { type: "string", default: "300" },
    clients: { type: "string", default: "2" },
    side: { type: "string", default: "1" },
    node: { type: "string" },
    json: { type: "string" },
    timeline: { type: "boolean", default: false },
    claims: { type: "boolean", default: false },
  },
});
const number = (name: "seed" | "seconds" | "rps" | "clients" | "side"): number => {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value <= 0) throw new RangeError(`--${name} must be a positive number, not ${values[name]}`);
  return value;
};
const only = values.only?.split(",");
const unknown = only?.filter((id) => !faults.some((fault) => fault.id === id) && !notYet.some((each) => each.id === id)) ?? [];
if (unknown.length > 0) throw new RangeError(`--only: there is no ${unknown.join(", ")}`);
const chosen = faults.filter(({ id }) => only?.includes(id) ?? true);
const waiting = notYet.filter(({ id }) => only?.includes(id) ?? true);
const node = values.node;
const version = (node === undefined ? process.version : execFileSync(node, ["--version"], { encoding: "utf8" }).trim()).slice(1);
const options = { seed: number("seed"), seconds: number("seconds"), rps: number("rps"), clients: number("clients"), node, has: isThere };

const results: Result[] = [];
const queue = [...chosen];
// Progress goes where it does not disturb who reads the lines.
const worker = async (): Promise<void> => {
  for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
    process.stderr.write(`[${results.length + 1}/${chosen.length}] ${fault.id} ${fault.name} ...\n`);
    const result = await runFault(fault, options, ({ outcome }) => {
      process.stderr.write(`${fault.id}: again, the clients stood still for ${Math.round(outcome?.lagMs ?? 0)} ms\n`);
    });
    results.push(result);
    console.log(lineOf(result, { seed: options.seed, node: version }));
    if (values.timeline && result.outcome !== undefined) console.log(timelineOf(result.outcome));
    if (values.claims) for (const { what, holds } of result.claims) console.log(`  ${holds ? "ok" : "NO"} ${what}`);
  }
};
await Promise.all(Array.from({ length: number("side") }, worker));
for (const { id, name, waitsFor } of waiting) console.log(`CHAOS ${id} ${name} NOT YET waits for ${waitsFor}`);
console.log(totals(results, waiting.length));
if (values.json !== undefined) {
  const rows = results.map(({ fault, status, reason, figures, seconds, rps, claims }) => {
    return { id: fault.id, name: fault.name, status, reason, seconds, rps, figures, claims };
  });
  writeFileSync(values.json, `${JSON.stringify({ node: version, seed: options.seed, rows, notYet: waiting }, undefined, 2)}\n`);
}
process.exitCode = results.some(({ status }) => status === "fail") ? 1 : 0;
