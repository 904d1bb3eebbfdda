import { startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { pickerCases } from "./picker-cases.ts";
import { many, type PickSample, sizes } from "./picks-process.ts";
import { atMost, type BenchReport, type Bound, progress, progressDone } from "./report.ts";

const maxChangeMs = 5;
const maxBuildMs = 10;

/** Measures the time of a pick by number of endpoints, and of the first pick after a change of ten thousand. Each picker has a process of its own. */
export async function picks(rounds = 40): Promise<BenchReport> {
  const rows: (string | number)[][] = [];
  const bounds: Bound[] = [];
  const ratios: Record<string, number> = {};
  for (const { name, maxNanos } of pickerCases) {
    progress("picks", name);
    await using child = await startChild<"measure", PickSample>("picks-process.ts", [name, String(rounds)]);
    const { bareNanos, nanos, buildMs, changeMs } = await child.ask("measure");
    rows.push([name, ...nanos, Math.max(...nanos) / bareNanos, buildMs, changeMs]);
    for (const [index, size] of sizes.entries()) {
      const found = nanos[index] as number;
      const bound = maxNanos?.[size] ?? maxNanos?.any;
      if (bound !== undefined) bounds.push(atMost(`ns of a pick, ${name}, ${size} endpoints:`, found, bound));
      if (size === 20 || size === many) ratios[`mesh: ${name}, ${size} endpoints × an array index`] = found / bareNanos;
    }
    bounds.push(atMost(`ms of the pick after a change of ${many}, ${name}:`, changeMs, maxChangeMs));
    bounds.push(atMost(`ms of the first pick of ${many}, ${name}:`, buildMs, maxBuildMs));
  }
  progressDone();
  return {
    bench: "picks",
    about: `ns per pick by number of endpoints; ms of the first pick of ${many} and of the one after a change; the fastest of all rounds`,
    node: measuredVersion(),
    rounds,
    columns: ["picker", ...sizes.map((size) => `${size} endpoints`), "× an array index", "first pick, ms", "after a change, ms"],
    rows,
    bounds,
    ratios,
  };
}
