import { startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";
import type { TelemetryMode } from "./telemetry-process.ts";

const callsPerTurn = 100_000;
const modes: readonly TelemetryMode[] = [
  "no observer",
  "no SDK",
  "metrics",
  "traces, sampled out",
  "traces, sampled in",
  "metrics and traces, sampled in",
  "inmesh/prometheus",
];
/** What the SDK takes for the same records without a mesh: the least that can be added. */
const bare: readonly TelemetryMode[] = ["the SDK alone, metrics", "the SDK alone, traces, sampled out"];

/** Measures what the OpenTelemetry observer adds to a call through all layers of a service, over a transport that answers at once. */
export async function telemetry(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const cases: Record<string, () => Promise<number>> = {};
  for (const mode of [...modes, ...bare]) {
    const child = stack.use(await startChild<number, number>("telemetry-process.ts", [mode]));
    cases[mode] = () => child.ask(callsPerTurn);
  }
  const measured = await measureRounds("telemetry", rounds, cases);
  return {
    bench: "telemetry",
    about: "CPU per call with one attempt, no socket: the fetch edge and every layer of the pipeline over a transport that answers at once",
    node: measuredVersion(),
    rounds,
    columns: ["registered", "µs CPU per call", "µs more than no SDK"],
    rows: [
      ...modes.map((mode) => [mode, measured.median(mode), measured.difference(mode, "no SDK")]),
      ...bare.map((mode) => [mode, "", measured.median(mode)]),
    ],
    bounds: [
      atMost("µs that SDK metrics add", measured.difference("metrics", "no SDK"), 3),
      atMost("µs that inmesh/prometheus adds", measured.difference("inmesh/prometheus", "no SDK"), 3),
      atMost("µs that traces add when sampled out", measured.difference("traces, sampled out", "no SDK"), 1),
    ],
    ratios: {
      "mesh with metrics × without SDK": measured.ratio("metrics", "no SDK"),
      "mesh with inmesh/prometheus × without SDK": measured.ratio("inmesh/prometheus", "no SDK"),
      "mesh with inmesh/prometheus × with SDK metrics": measured.ratio("inmesh/prometheus", "metrics"),
      "mesh with traces sampled out × without SDK": measured.ratio("traces, sampled out", "no SDK"),
    },
  };
}
