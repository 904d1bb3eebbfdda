import { startChild } from "./children.ts";
import { buildPackage, runFresh } from "./fresh-process.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const calls = 1_000;
const mesh = "mesh.fetch, on-use";
const bare = "bare node";
const names = [mesh, "undici.request", "Node's fetch", "node:http2, imported", "undici's client, imported", "inmesh, imported", bare];
const boundMiB = 25;

/**
 * Measures the memory of a process whose mesh asks its registry by uses and has called each of 100 endpoints, beyond that of a bare Node.js, beside
 * clients that have made as many calls to one address.
 */
export async function onUse(rounds = 7): Promise<BenchReport> {
  await buildPackage();
  await using server = await startChild<never, number>("json-server.ts");
  const measure = async (name: string) => {
    const { rss, heap } = await runFresh(name, calls, server.ready);
    return { rss, heap };
  };
  const measured = await measureRounds("on-use", rounds, Object.fromEntries(names.map((name) => [name, () => measure(name)])));
  const beyond = (name: string, field: "rss" | "heap") => (measured.median(name, field) - measured.median(bare, field)) / 2 ** 20;
  return {
    bench: "on-use",
    about: `memory of a fresh process with watch: "on-use" and 100 endpoints, after ${calls} calls over all of them, 32 at a time, beyond that of a bare Node.js`,
    node: measuredVersion(),
    rounds,
    columns: ["process", "MiB heap and buffers", "MiB RSS"],
    rows: names.map((name) => [name, beyond(name, "heap").toFixed(1), beyond(name, "rss").toFixed(1)]),
    bounds: [atMost("MiB heap and buffers beyond bare Node", beyond(mesh, "heap"), boundMiB)],
    ratios: {},
  };
}
