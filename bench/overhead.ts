import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { request, fetch as undiciFetch } from "undici";
import { createMesh, staticDiscovery } from "../src/index.ts";
import { atMost, type BenchReport, median } from "./report.ts";

const concurrency = 32;
const requestsPerCase = 6_000;

/**
 * CPU that the client process spends per GET of a small JSON document, with everything of the mesh on, beside the clients
 * it replaces. All cases take turns within each round, so that a noisy moment hits them alike; a ratio is the median of
 * the rounds' ratios.
 */
export async function overhead(rounds = 9): Promise<BenchReport> {
  const { child, port } = await startServer();
  const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port }] }) });
  const url = `http://127.0.0.1:${port}/users/42`;
  const cases: Readonly<Record<string, () => Promise<unknown>>> = {
    "mesh.fetch": async () => (await mesh.fetch("users/users/42")).json(),
    "undici.request": async () => (await request(url)).body.json(),
    "undici.fetch": async () => (await undiciFetch(url)).json(),
    "Node's fetch": async () => (await fetch(url)).json(),
  };
  const names = Object.keys(cases);
  const micros = new Map<string, number[]>(names.map((name) => [name, []]));
  try {
    // The first round warms up and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(turn + round) % names.length] as string;
        const cost = await cpuPerCall(cases[name] as () => Promise<unknown>);
        if (round > 0) micros.get(name)?.push(cost);
      }
      process.stderr.write(`\roverhead: round ${round} of ${rounds}`);
    }
  } finally {
    process.stderr.write("\n");
    await mesh.close();
    child.kill();
  }
  const ratio = (name: string, base: string) =>
    median((micros.get(name) as number[]).map((value, round) => value / ((micros.get(base) as number[])[round] as number)));
  return {
    bench: "overhead",
    about: "client CPU per GET of a 250-byte JSON document on loopback; discovery, balancing, retry, breakers and the OpenTelemetry API on",
    node: process.version,
    rounds,
    columns: ["client", "µs CPU per call", "× Node's fetch", "× undici.fetch", "× undici.request"],
    rows: names.map((name) => [
      name,
      median(micros.get(name) as number[]),
      ratio(name, "Node's fetch"),
      ratio(name, "undici.fetch"),
      ratio(name, "undici.request"),
    ]),
    bounds: [atMost("mesh.fetch × Node's fetch", ratio("mesh.fetch", "Node's fetch"), 0.6)],
  };
}

async function cpuPerCall(call: () => Promise<unknown>): Promise<number> {
  let left = requestsPerCase;
  const before = process.cpuUsage();
  const worker = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const used = process.cpuUsage(before);
  return (used.user + used.system) / requestsPerCase;
}

/** The server runs in a process of its own: its CPU is not the client's. */
async function startServer(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ["server"]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(message as number));
    child.once("error", reject);
  });
  return { child, port };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "server") {
  const document = JSON.stringify({ id: 42, name: "x".repeat(220) });
  const server = createServer((_incoming, outgoing) => {
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(document);
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
  // Ends with the process that started it, however that ends.
  process.on("disconnect", () => process.exit());
}
