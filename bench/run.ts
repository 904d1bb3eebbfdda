import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { overhead } from "./overhead.ts";
import { picks } from "./picks.ts";
import type { BenchReport } from "./report.ts";
import { printReport } from "./report.ts";

/** Every bench by the name it is called with: `npm run bench -- NAME [--json FILE] [--rounds N]`. */
const benches: Readonly<Record<string, (rounds: number | undefined) => Promise<BenchReport>>> = { overhead, picks };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, rounds: { type: "string" } },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const reports: BenchReport[] = [];
for (const name of names) {
  const bench = benches[name];
  if (bench === undefined) {
    console.error(`no bench is called ${JSON.stringify(name)}; there are: ${Object.keys(benches).join(", ")}`);
    process.exit(2);
  }
  const report = await bench(values.rounds === undefined ? undefined : Number(values.rounds));
  printReport(report);
  reports.push(report);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
if (reports.some((report) => report.bounds.some((bound) => !bound.held))) process.exitCode = 1;
