import { startEnvoy } from "../test/servers/envoy.ts";
import { startNginx } from "../test/servers/nginx.ts";
import { startChild } from "./children.ts";
import { type Run, unmeasuredCalls } from "./client-process.ts";
import { gatewayCases } from "./gateway-process.ts";
import { measuredVersion } from "./measured-node.ts";
import { processMicros } from "./process-cpu.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds, type Sample } from "./rounds.ts";

const callsPerTurn = 8_000;
const own = "inmesh/gateway";

/** Measures the CPU of a reverse proxy per request: of inmesh's, of two packages, of the least that Node.js needs, and of nginx and Envoy. */
export async function gatewayCost(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  // One instance for all: with two, a proxy finds fewer requests at each turn than the others, and wakes up more often.
  const instance = stack.use(await startChild<never, number>("json-server.ts"));
  const endpoints = [{ host: "127.0.0.1", port: instance.ready }];
  const cases: Record<string, () => Promise<Sample>> = {};
  const add = async (name: string, proxy: { readonly pid: number }, port: number): Promise<void> => {
    const client = stack.use(await startChild<Run, number>("client-process.ts", ["undici.request", String(port)]));
    cases[name] = async () => {
      const before = processMicros(proxy.pid);
      await client.ask({ method: "get", calls: callsPerTurn });
      return (processMicros(proxy.pid) - before) / (callsPerTurn + unmeasuredCalls);
    };
  };
  for (const name of Object.keys(gatewayCases)) {
    const child = stack.use(await startChild<never, number>("gateway-process.ts", [name, String(instance.ready)]));
    await add(name, child, child.ready);
  }
  const nginx = stack.use(await startNginx(endpoints));
  await add("nginx", nginx, nginx.port);
  const envoy = stack.use(await startEnvoy(endpoints));
  await add("Envoy", envoy, envoy.port);
  const measured = await measureRounds("gateway", rounds, cases);
  const ratios: Record<string, number> = {};
  for (const name of Object.keys(cases)) if (name !== own) ratios[`${own} × ${name}`] = measured.ratio(own, name);
  return {
    bench: "gateway",
    about:
      "CPU of a reverse proxy per GET of a JSON document of 250 bytes on loopback, 32 at a time, over kept connections; all in front of one instance; inmesh/gateway with retries, breakers, deadlines and balancing",
    node: measuredVersion(),
    rounds,
    columns: ["proxy", "µs CPU per request", `${own} ×`],
    rows: Object.keys(cases).map((name) => [name, measured.median(name), measured.ratio(own, name)]),
    bounds: [
      atMost("inmesh/gateway × http-proxy", measured.ratio(own, "http-proxy"), 0.7),
      atMost("inmesh/gateway × fast-proxy with undici", measured.ratio(own, "fast-proxy, undici"), 1.1),
    ],
    ratios,
  };
}
