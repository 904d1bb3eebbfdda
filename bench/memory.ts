import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./children.ts";
import { buildPackage, runFresh } from "./fresh-process.ts";
import { measuredVersion } from "./measured-node.ts";
import type { MemorySample } from "./memory-client.ts";
import { atMost, type BenchReport } from "./report.ts";
import { type Measurements, measureRounds } from "./rounds.ts";

const callsInFlight = 10_000;
/** Connections that are opened at a time: more would not fit into the server's queue of new ones. */
const batch = 1_000;
const names = ["mesh.fetch", "undici.request"];
const settings = [callsInFlight, 256];
/** Calls that a fresh process makes, 32 at a time, before its resident set is looked at. */
const freshCalls = 10_000;

/**
 * Measures the memory of 10,000 calls that the server lets wait, each with a connection of its own or most of them in the queue, and the
 * resident set of a process that has made as many calls, 32 at a time.
 */
export async function memory(rounds = 7): Promise<BenchReport> {
  await buildPackage();
  await using server = await startChild<never, number>("json-server.ts");
  const cases: Record<string, () => Promise<MemorySample>> = {};
  for (const connections of settings) for (const name of names) cases[caseName(name, connections)] = () => hold(name, connections);
  for (const name of names) cases[freshName(name)] = async () => ({ heap: 0, rss: (await runFresh(name, freshCalls, server.ready)).rss });
  const measured = await measureRounds("memory", rounds, cases);
  const fresh = measured.ratio(freshName("mesh.fetch"), freshName("undici.request"), "rss");
  const heldBounds = settings.flatMap((connections) => {
    const bound = connections === callsInFlight ? 1.5 : 2.5;
    return (["heap", "rss"] as const).map((field) =>
      atMost(`${field} of ${caseName("mesh.fetch", connections)} × undici.request`, ratioOf(measured, connections, field), bound),
    );
  });
  return {
    bench: "memory",
    about:
      "memory per call, 10,000 calls in flight that the server holds, after garbage collection; and the resident set of a process that has made 10,000 calls, 32 at a time. Always in a fresh process",
    node: measuredVersion(),
    rounds,
    columns: ["client", "bytes heap and buffers", "× undici.request", "bytes RSS", "× undici.request"],
    rows: [
      ...settings.flatMap((connections) =>
        names.map((name) => [
          caseName(name, connections),
          Math.round(measured.median(caseName(name, connections), "heap") / callsInFlight),
          ratioOf(measured, connections, "heap", name),
          Math.round(measured.median(caseName(name, connections), "rss") / callsInFlight),
          ratioOf(measured, connections, "rss", name),
        ]),
      ),
      ...names.map((name) => [
        freshName(name),
        "",
        "",
        `${(measured.median(freshName(name), "rss") / 1e6).toFixed(0)} MB`,
        measured.ratio(freshName(name), freshName("undici.request"), "rss"),
      ]),
    ],
    bounds: [...heldBounds, atMost(`RSS of ${freshName("mesh.fetch")} × undici.request`, fresh, 1.25)],
    ratios: {
      ...Object.fromEntries(
        settings.map((connections) => [
          `${caseName("mesh.fetch", connections)} heap × undici.request`,
          ratioOf(measured, connections, "heap"),
        ]),
      ),
      "mesh.fetch, after 10,000 calls RSS × undici.request": fresh,
    },
  };
}

function freshName(name: string): string {
  return `${name}, after 10,000 calls`;
}

function ratioOf(measured: Measurements, connections: number, field: string, name = "mesh.fetch"): number {
  return measured.ratio(caseName(name, connections), caseName("undici.request", connections), field);
}

function caseName(name: string, connections: number): string {
  return `${name}, ${connections} connections`;
}

async function hold(name: string, connections: number): Promise<MemorySample> {
  await using server = await startChild<"count", number>("holding-server.ts");
  const args = [name, String(server.ready), String(connections)];
  await using client = await startChild<"measure" | number, MemorySample>("memory-client.ts", args, ["--expose-gc"]);
  for (let started = batch; started <= callsInFlight; started += batch) {
    await client.ask(batch);
    const expected = Math.min(started, connections);
    const deadline = performance.now() + 60_000;
    while ((await server.ask("count")) < expected) {
      if (performance.now() > deadline) throw new Error(`${name}: the server did not get ${expected} requests`);
      await sleep(20);
    }
  }
  // Awaited here, since the processes end when this function returns.
  return await client.ask("measure");
}
