import { startChild } from "./children.ts";
import type { Run } from "./client-process.ts";
import { type BenchClient, clients } from "./clients.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

/** CPU of a turn, which determines its number of calls: a client of few microseconds per call is measured as exactly as one of many. */
const turnMicros = 300_000;
const firstCalls = 4_000;
const methods: readonly (keyof BenchClient)[] = ["get", "post"];
const bases = ["Node's fetch", "undici.fetch", "undici.request"];

/**
 * Measures the CPU of a client process per call of a JSON service on loopback: the mesh with its defaults, and the clients that it replaces.
 * Each client has a process of its own, and they take turns.
 */
export async function overhead(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startChild<never, number>("json-server.ts"));
  const cases: Record<string, () => Promise<number>> = {};
  for (const name of Object.keys(clients)) {
    const client = stack.use(await startChild<Run, number>("client-process.ts", [name, String(server.ready)]));
    for (const method of methods) {
      let calls = firstCalls;
      cases[caseName(name, method)] = async () => {
        const micros = await client.ask({ method, calls });
        calls = Math.round(turnMicros / micros);
        return micros;
      };
    }
  }
  const measured = await measureRounds("overhead", rounds, cases);
  const ratio = (name: string, base: string, method: keyof BenchClient) => measured.ratio(caseName(name, method), caseName(base, method));
  const ratios: Record<string, number> = {};
  for (const method of methods)
    for (const name of Object.keys(clients))
      for (const base of bases) if (name !== base) ratios[`${caseName(name, method)} × ${base}`] = ratio(name, base, method);
  return {
    bench: "overhead",
    about:
      "client CPU per call on loopback, 32 at a time: GET of a JSON document of 250 bytes, POST of one of 1 KiB. The mesh with discovery, balancing, retry, breakers, deadlines and the OpenTelemetry observer on (no SDK)",
    node: measuredVersion(),
    rounds,
    columns: ["client", "µs CPU per call", ...bases.map((base) => `× ${base}`)],
    rows: methods.flatMap((method) =>
      Object.keys(clients).map((name) => [
        caseName(name, method),
        measured.median(caseName(name, method)),
        ...bases.map((base) => ratio(name, base, method)),
      ]),
    ),
    bounds: [
      atMost("mesh.fetch GET × Node's fetch", ratio("mesh.fetch", "Node's fetch", "get"), 0.33),
      atMost("mesh.fetch GET × undici.fetch", ratio("mesh.fetch", "undici.fetch", "get"), 0.33),
      atMost("mesh.fetch GET × undici.request", ratio("mesh.fetch", "undici.request", "get"), 1.35),
      atMost("mesh.fetch POST × Node's fetch", ratio("mesh.fetch", "Node's fetch", "post"), 0.4),
      atMost("mesh.request GET × undici.request", ratio("mesh.request", "undici.request", "get"), 1.15),
    ],
    ratios,
  };
}

function caseName(name: string, method: keyof BenchClient): string {
  return `${name} ${method.toUpperCase()}`;
}
