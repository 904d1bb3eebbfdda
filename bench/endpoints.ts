import { startChild } from "./children.ts";
import { type EndpointsSample, many } from "./endpoints-process.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport, type Bound, median, progress, progressDone } from "./report.ts";

const names = ["roundRobin", "weighted, weights differ", "adaptive, learnt", "ringHash", "maglev"];
const mebibyte = 2 ** 20;

/** Measures the heap of ten thousand endpoints without calls, and whether it grows when each has gone and come back. */
export async function endpoints(rounds = 3): Promise<BenchReport> {
  const rows: (string | number)[][] = [];
  const bounds: Bound[] = [];
  for (const name of names) {
    const samples: EndpointsSample[] = [];
    for (let round = 0; round < rounds; round++) {
      progress("endpoints", `${name}, ${round + 1} of ${rounds}`);
      await using child = await startChild<"measure", EndpointsSample>("endpoints-process.ts", [name], ["--expose-gc"]);
      samples.push(await child.ask("measure"));
    }
    const held = median(samples.map((sample) => sample.endpoints)) / mebibyte;
    const once = median(samples.map((sample) => sample.afterOnce / sample.endpoints));
    const growth = median(samples.map((sample) => sample.afterTwice / sample.afterOnce));
    rows.push([name, held, once, growth]);
    bounds.push(atMost(`MiB that ${many} endpoints hold, ${name}:`, held, 10));
    bounds.push(atMost(`what they hold when each has gone and come back × before, ${name}:`, once, 1.05));
    bounds.push(atMost(`what they hold when each has gone and come back twice × once, ${name}:`, growth, 1.05));
  }
  progressDone();
  return {
    bench: "endpoints",
    about: `heap of ${many} idle endpoints over that of a mesh without any, and after each has left and come back`,
    node: measuredVersion(),
    rounds,
    columns: ["picker", "MiB", "each back once, ×", "twice, × once"],
    rows,
    bounds,
    ratios: {},
  };
}
