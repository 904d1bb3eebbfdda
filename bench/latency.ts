import { startEnvoy } from "../test/servers/envoy.ts";
import { type Child, startChild } from "./children.ts";
import type { Latencies, Load } from "./latency-client.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

/** Each is long enough for a thousandth of the calls to be more than two. */
const loads: readonly Load[] = [
  { perSecond: 300, seconds: 8 },
  { perSecond: 2_000, seconds: 4 },
];
const instances = 3;
const maxTail = 1.3;
/** A tail differs more from run to run than CPU does. */
const tailMargin = 0.5;

/**
 * Measures the latency of calls at a constant rate over three instances in processes of their own: through the mesh, through clients that take
 * the instances in turn, and through Node's fetch with a real Envoy that balances over them.
 */
export async function latency(rounds = 7): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const ports: number[] = [];
  for (let instance = 0; instance < instances; instance++) ports.push(stack.use(await startChild<never, number>("json-server.ts")).ready);
  const envoy = stack.use(await startEnvoy(ports.map((port) => ({ host: "127.0.0.1", port }))));
  const client = async (name: string, ...to: readonly number[]): Promise<Child<Load, Latencies>> =>
    stack.use(await startChild<Load, Latencies>("latency-client.ts", [name, ...to.map(String)]));
  const children: Readonly<Record<string, Child<Load, Latencies>>> = {
    "mesh.fetch": await client("mesh.fetch", ...ports),
    "undici.request": await client("undici.request", ...ports),
    "Node's fetch": await client("Node's fetch", ...ports),
    "Node's fetch, Envoy": await client("Node's fetch", envoy.port),
  };
  const names = Object.keys(children);
  const cases: Record<string, () => Promise<Latencies>> = {};
  for (const load of loads) for (const [name, child] of Object.entries(children)) cases[caseName(name, load)] = () => child.ask(load);
  const measured = await measureRounds("latency", rounds, cases);
  const ratio = (load: Load, field: string, name = "mesh.fetch", base = "undici.request") =>
    measured.ratio(caseName(name, load), caseName(base, load), field);
  return {
    bench: "latency",
    about:
      "milliseconds from the moment a call is due to the end of its body, at a constant rate (open loop), GET of a JSON document of 250 bytes from one of three instances on loopback; the client's CPU in µs per call",
    node: measuredVersion(),
    rounds,
    columns: ["client", "p50", "p99", "p99.9", "p99 × undici.request", "p99.9 × undici.request", "µs CPU", "CPU × undici.request"],
    rows: loads.flatMap((load) =>
      names.map((name) => [
        caseName(name, load),
        measured.median(caseName(name, load), "p50"),
        measured.median(caseName(name, load), "p99"),
        measured.median(caseName(name, load), "p999"),
        ratio(load, "p99", name),
        ratio(load, "p999", name),
        measured.median(caseName(name, load), "cpu"),
        ratio(load, "cpu", name),
      ]),
    ),
    bounds: loads.map((load) => atMost(`p99 of ${caseName("mesh.fetch", load)} × undici.request`, ratio(load, "p99"), maxTail)),
    margin: tailMargin,
    ratios: Object.fromEntries(
      loads.flatMap((load) => [
        [`${caseName("mesh.fetch", load)} p99 × undici.request`, ratio(load, "p99")],
        [`${caseName("mesh.fetch", load)} CPU × undici.request`, ratio(load, "cpu")],
        [`${caseName("mesh.fetch", load)} p99 × Node's fetch, Envoy`, ratio(load, "p99", "mesh.fetch", "Node's fetch, Envoy")],
      ]),
    ),
  };
}

function caseName(name: string, { perSecond }: Load): string {
  return `${name}, ${perSecond}/s`;
}
