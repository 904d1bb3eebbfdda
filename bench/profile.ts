// node bench/profile.ts [CLIENT] [get|post] [--calls N]: prints the CPU of a client's calls by function.
import { Session } from "node:inspector/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startChild } from "./children.ts";
import { drive } from "./client-process.ts";
import { type BenchClient, clients } from "./clients.ts";
import { printReport } from "./report.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { calls: { type: "string", default: "100000" } } });
const [name = "mesh.fetch", method = "get"] = positionals;
const calls = Number(values.calls);
const root = `${import.meta.dirname}/..`;

const create = clients[name];
if (create === undefined || (method !== "get" && method !== "post")) {
  console.error(`usage: node bench/profile.ts [${Object.keys(clients).join(" | ")}] [get | post] [--calls N]`);
  process.exit(2);
}

await using server = await startChild<never, number>("json-server.ts");
const client: BenchClient = await create([server.ready]);
await drive(client[method], calls / 4);

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 200 });
await session.post("Profiler.start");
await drive(client[method], calls);
const { profile } = await session.post("Profiler.stop");
session.disconnect();

interface Frame {
  readonly room: string;
  readonly what: string;
  micros: number;
}

const functions = new Map<string, Frame>();
const byId = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
for (const [index, id] of (profile.samples ?? []).entries()) {
  const frame = byId.get(id);
  if (frame === undefined || frame.functionName === "(idle)") continue;
  const room = roomOf(frame.url);
  const place = frame.url === "" ? "" : ` ${shortName(frame.url)}:${frame.lineNumber + 1}`;
  const what = `${frame.functionName || "(anonymous)"}${place}`;
  const known = functions.get(what) ?? { room, what, micros: 0 };
  known.micros += profile.timeDeltas?.[index] ?? 0;
  functions.set(what, known);
}

function roomOf(url: string): string {
  if (url.startsWith("node:")) return "node";
  if (url.includes("/node_modules/")) return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? "package";
  if (url.includes("/src/")) return "inmesh";
  if (url.startsWith("file:")) return "bench";
  return url.startsWith("wasm:") ? "llhttp" : "engine";
}

function shortName(url: string): string {
  return url.startsWith("file:") ? relative(root, fileURLToPath(url)).replace(/^node_modules\//, "") : url.slice(0, 60);
}

const frames = [...functions.values()].sort((a, b) => b.micros - a.micros);
const total = frames.reduce((sum, { micros }) => sum + micros, 0);
const row = (room: string, what: string, micros: number) => [room, what, micros / calls, (100 * micros) / total];
const rooms = [...new Set(frames.map(({ room }) => room))].map((room) =>
  row(
    room,
    "all of it",
    frames.filter((frame) => frame.room === room).reduce((sum, { micros }) => sum + micros, 0),
  ),
);
printReport({
  bench: "profile",
  about: `self time of ${name} ${method.toUpperCase()} on the main thread while it is not idle`,
  node: process.version,
  rounds: 1,
  columns: ["part", "function", "µs per call", "% of all"],
  rows: [
    ...rooms.sort((a, b) => Number(b[2]) - Number(a[2])),
    ...frames
      .filter(({ room }) => room === "inmesh")
      .slice(0, 25)
      .map(({ room, what, micros }) => row(room, what, micros)),
    ...frames
      .filter(({ room }) => room !== "inmesh")
      .slice(0, 20)
      .map(({ room, what, micros }) => row(room, what, micros)),
  ],
  bounds: [],
  ratios: {},
});
process.exit();
