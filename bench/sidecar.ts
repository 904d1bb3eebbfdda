import { startEnvoy } from "../test/servers/envoy.ts";
import { startNginx } from "../test/servers/nginx.ts";
import type { ServerProcess } from "../test/servers/process.ts";
import { type Child, startChild } from "./children.ts";
import { type Run, unmeasuredCalls } from "./client-process.ts";
import { measuredVersion } from "./measured-node.ts";
import { processMicros } from "./process-cpu.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds, type Sample } from "./rounds.ts";

const callsPerTurn = 8_000;

/**
 * Measures the CPU per GET of a small JSON document from one of two instances: the mesh inside the client, and Node's fetch through a real proxy
 * that does the same for it. The CPU of the proxy is added to that of the client.
 */
export async function sidecar(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const endpoints: { host: string; port: number }[] = [];
  for (let instance = 0; instance < 2; instance++) {
    const server = stack.use(await startChild<never, number>("json-server.ts"));
    endpoints.push({ host: "127.0.0.1", port: server.ready });
  }
  const envoy = stack.use(await startEnvoy(endpoints));
  const nginx = stack.use(await startNginx(endpoints));
  const client = async (name: string, ...ports: number[]): Promise<Child<Run, number>> =>
    stack.use(await startChild<Run, number>("client-process.ts", [name, ...ports.map(String)]));
  const cases: Readonly<Record<string, () => Promise<Sample>>> = {
    "mesh.fetch": through(await client("mesh.fetch", ...endpoints.map(({ port }) => port))),
    "Node's fetch, Envoy": through(await client("Node's fetch", envoy.port), envoy),
    "Node's fetch, nginx": through(await client("Node's fetch", nginx.port), nginx),
    "Node's fetch, no proxy": through(await client("Node's fetch", endpoints[0]?.port as number)),
  };
  const measured = await measureRounds("sidecar", rounds, cases);
  const ratios: Record<string, number> = {};
  for (const name of Object.keys(cases)) if (name !== "mesh.fetch") ratios[`mesh.fetch × ${name}`] = measured.ratio("mesh.fetch", name);
  return {
    bench: "sidecar",
    about:
      "CPU per GET of a JSON document of 250 bytes from one of two instances on loopback, 32 at a time; the proxies with one worker, retries and ejection of failing instances on, access logs off",
    node: measuredVersion(),
    rounds,
    columns: ["client", "µs client", "µs proxy", "µs together", "mesh.fetch ×"],
    rows: Object.keys(cases).map((name) => [
      name,
      measured.median(name, "client"),
      measured.median(name, "proxy"),
      measured.median(name),
      measured.ratio("mesh.fetch", name),
    ]),
    bounds: [
      atMost("mesh.fetch × Node's fetch and Envoy", measured.ratio("mesh.fetch", "Node's fetch, Envoy"), 0.25),
      atMost("mesh.fetch × Node's fetch and nginx", measured.ratio("mesh.fetch", "Node's fetch, nginx"), 0.35),
    ],
    ratios,
  };
}

function through(client: Child<Run, number>, proxy?: ServerProcess): () => Promise<Sample> {
  return async () => {
    const before = proxy === undefined ? 0 : processMicros(proxy.pid);
    const spent = await client.ask({ method: "get", calls: callsPerTurn });
    const served = callsPerTurn + unmeasuredCalls;
    const proxied = proxy === undefined ? 0 : (processMicros(proxy.pid) - before) / served;
    return { value: spent + proxied, client: spent, proxy: proxied };
  };
}
