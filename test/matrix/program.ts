// Run by each version of Node with the built package, whose entry is the argument. Prints one line for each call.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { AttemptRecord } from "../../src/index.ts";
import { acceptHttp2 } from "../behaviour/http2-connection.ts";
import { type Situation, situations } from "./situations.ts";

const { createMesh, isMeshError, staticDiscovery } = (await import(process.argv[2] as string)) as typeof import("../../src/index.ts");

interface Peer {
  readonly port: number;
  /** Request heads that have arrived. */
  heads: number;
  close(): Promise<void>;
}

async function peerOf({ onHead, onStream, isDeaf = false }: Situation, onFirst: () => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: isDeaf }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    // Late enough that the client has connected and written, which in one process nothing else makes sure.
    if (isDeaf) setTimeout(() => socket.resetAndDestroy(), 150);
    if (onStream !== undefined) {
      acceptHttp2(socket, (connection, streamId) => onStream(connection, streamId, ++peer.heads));
      return;
    }
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      // The body, if there is one, is in the same packet or does not matter.
      if (!received.includes("\r\n\r\n")) return;
      received = "";
      peer.heads++;
      onFirst();
      onHead?.(socket, peer.heads);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  const peer: Peer = { port: (server.address() as AddressInfo).port, heads: 0, close };
  if (onHead === undefined && onStream === undefined && !isDeaf) await close();
  return peer;
}

/** The class of what became of one call. */
async function play(situation: Situation, method: "GET" | "POST"): Promise<string> {
  const controller = new AbortController();
  const { abort, warmUpMs } = situation;
  const peer = await peerOf(situation, () => {
    if (abort === "before the head") controller.abort();
  });
  const records: AttemptRecord[] = [];
  const mesh = createMesh({
    discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: peer.port }] }),
    observers: [{ onAttempt: () => ({ onEnd: ({ record }) => void records.push(record) }) }],
    attemptTimeoutMs: situation.name.startsWith("no head") ? 500 : 10_000,
    timeoutMs: 20_000,
    retry: { maxAttempts: 2 },
    breaker: false,
    protocol: situation.isHttp2 === true || situation.onStream !== undefined ? "h2" : "h1",
    drainTimeoutMs: 0,
  });
  if (warmUpMs !== undefined) {
    await (await mesh.fetch("orders/first")).text();
    await pause(warmUpMs);
  }
  // Connections of the warm-up do not count.
  const before = { records: records.length, heads: peer.heads };
  let ending: string;
  let executed = "";
  try {
    const init = method === "POST" ? { method, body: "content" } : { method };
    const response = await mesh.fetch("orders/x", { ...init, signal: controller.signal });
    if (abort === "in the body") setTimeout(() => controller.abort(), 30);
    ending = `${response.status} ${JSON.stringify(await response.text())}`;
  } catch (error) {
    ending = isMeshError(error) ? error.code : (error as Error).name;
    if (isMeshError(error)) executed = error.maybeExecuted ? "maybe" : "no";
  }
  await mesh.close();
  await peer.close();
  const phases = records.slice(before.records).map(({ phase, maybeExecuted }) => (maybeExecuted ? phase : `${phase} (not executed)`));
  const cells = [situation.name, method, ending, executed, String(peer.heads - before.heads), phases.join("; ")];
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join("")
    .trimEnd();
}

const widths = [40, 6, 26, 10, 7];
console.log(["situation", "", "ends with", "executed", "heads", "attempts"].map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(""));
for (const situation of situations) console.log((await Promise.all([play(situation, "GET"), play(situation, "POST")])).join("\n"));
