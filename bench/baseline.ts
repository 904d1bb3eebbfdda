import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchReport, shown } from "./report.ts";

/** The ratios that a change is compared with, by bench. Times differ by machine, ratios hardly. */
export interface Baseline {
  readonly node: string;
  readonly benches: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const file = join(import.meta.dirname, "baseline.json");
const defaultMargin = 0.15;

/** Reads bench/baseline.json. */
export function readBaseline(): Baseline {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Baseline) : { node: process.version, benches: {} };
}

/** Writes the ratios of these reports to bench/baseline.json, which keeps those of other benches. */
export function saveBaseline(reports: readonly BenchReport[]): void {
  const benches: Record<string, Readonly<Record<string, number>>> = { ...readBaseline().benches };
  for (const { bench, ratios } of reports) {
    if (Object.keys(ratios).length === 0) continue;
    benches[bench] = Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, Number(value.toFixed(4))]));
  }
  writeFileSync(file, `${JSON.stringify({ node: process.version, benches } satisfies Baseline, null, 2)}\n`);
}

/** Whether every ratio of the mesh is at most the report's margin above the baseline's; prints each comparison. A lower ratio is no fault. */
export function isWithinBaseline({ bench, ratios, margin = defaultMargin }: BenchReport): boolean {
  const { node, benches } = readBaseline();
  console.log(`\n${bench} — against bench/baseline.json (Node ${node}), at most ${margin * 100} % above it\n`);
  let isWithin = true;
  let compared = 0;
  for (const [name, value] of Object.entries(ratios)) {
    const before = benches[bench]?.[name];
    if (before === undefined || !name.startsWith("mesh")) continue;
    compared++;
    const change = value / before - 1;
    const isWorse = change > margin;
    if (isWorse) isWithin = false;
    const sign = change < 0 ? "-" : "+";
    console.log(`${isWorse ? "WORSE" : "ok"}: ${name} ${shown(value)}, was ${shown(before)} (${sign}${shown(Math.abs(change) * 100)} %)`);
  }
  if (compared === 0) console.log("nothing to compare: the bench has no ratio of the mesh in the baseline");
  return isWithin;
}
