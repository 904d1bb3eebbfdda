import { startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atLeast, atMost, type BenchReport } from "./report.ts";
import { measureRounds, type Sample } from "./rounds.ts";
import { type StreamSample, warmUpBytes } from "./stream-client.ts";

const gibibyte = 1_073_741_824;
const names = ["mesh.fetch", "undici.request", "Node's fetch"];

/** Measures two bodies of 1 GiB, one after the other, read chunk by chunk by a new process for each client. */
export async function streaming(rounds = 7): Promise<BenchReport> {
  await using server = await startChild<never, number>("stream-server.ts");
  const twice = (name: string) => async (): Promise<Sample> => {
    await using client = await startChild<number, StreamSample>("stream-client.ts", [name, String(server.ready)]);
    const warmUp = client.ready;
    const first = await client.ask(gibibyte);
    const second = await client.ask(gibibyte);
    return {
      seconds: first.seconds + second.seconds,
      cpuSeconds: first.cpuSeconds + second.cpuSeconds,
      warmUp: warmUp.growthMiB,
      first: first.growthMiB,
      second: second.growthMiB,
    };
  };
  const measured = await measureRounds("streaming", rounds, Object.fromEntries(names.map((name) => [name, twice(name)])));
  const time = measured.ratio("mesh.fetch", "undici.request", "seconds");
  return {
    bench: "streaming",
    about: `response bodies of 1 GiB on loopback, read by \`for await\` in a fresh process, two in turn after one of ${warmUpBytes / 2 ** 20} MiB that warms up`,
    node: measuredVersion(),
    rounds,
    columns: [
      "client",
      "MiB/s",
      "s CPU per GiB",
      "throughput × undici.request",
      "CPU × undici.request",
      "MiB RSS growth, warming up",
      "1st GiB",
      "2nd GiB",
    ],
    rows: names.map((name) => [
      name,
      2048 / measured.median(name, "seconds"),
      measured.median(name, "cpuSeconds") / 2,
      1 / measured.ratio(name, "undici.request", "seconds"),
      measured.ratio(name, "undici.request", "cpuSeconds"),
      measured.median(name, "warmUp"),
      measured.median(name, "first"),
      measured.median(name, "second"),
    ]),
    bounds: [
      atLeast("throughput of mesh.fetch's body × undici.request's", 1 / time, 0.9),
      atMost("MiB of RSS growth of mesh.fetch in the first GiB", measured.median("mesh.fetch", "first"), 32),
      atMost("MiB of RSS growth of mesh.fetch in the second GiB", measured.median("mesh.fetch", "second"), 32),
    ],
    ratios: {
      "mesh.fetch time × undici.request": time,
      "mesh.fetch CPU × undici.request": measured.ratio("mesh.fetch", "undici.request", "cpuSeconds"),
    },
  };
}
