import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Cancellation } from "../core/cancellation.ts";
import { isMeshError } from "../core/errors.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { fenced } from "../core/observing/fence.ts";
import type { SwitchedConnection } from "../core/stages/mesh-door.ts";
import { peerOf } from "../server/inbound/peer.ts";
import type { ServerRequest } from "../server/node-server.ts";
import { addForwarding } from "./forwarding.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { judgeRequest } from "./judge-request.ts";
import { type Problem, problemOf, problemText } from "./problem.ts";
import { RequestHead } from "./request-head.ts";
import { idOf } from "./request-id.ts";

/** The only protocol that a connection is changed to: any other, such as `h2c`, would be a tunnel past all rules. */
const webSocket = "websocket";

/** Whether a request asks for a protocol that the gateway changes to; for `shouldUpgradeCallback` of `node:http`. */
export function wantsSwitch(request: ServerRequest): boolean {
  return String(request.headers["upgrade"]).toLowerCase() === webSocket;
}

/** Changes a connection to another protocol by way of an instance, and passes bytes both ways from then on. */
export function switchThrough(parts: GatewayParts, request: ServerRequest, socket: Duplex, head: Buffer): void {
  const { settings, kinds, trusted, door } = parts;
  const peer = peerOf(request);
  const read = new RequestHead(request.rawHeaders, kinds, peer.isIn(trusted));
  const { requestId } = settings;
  const id = requestId === false ? undefined : idOf(read.requestId);
  if (id !== undefined) read.headers[requestId as string] = id;
  const answer = (problem: Problem): void => answerOn(socket, problem, { accept: read.headers["accept"], id, name: requestId });
  const judged = wantsSwitch(request)
    ? judgeRequest(request, read, settings)
    : { status: 501, headers: {}, detail: "the connection is not changed to this protocol" };
  if (typeof judged !== "string") {
    answer(judged);
    return;
  }
  addForwarding(read, peer, request.httpVersion, settings);
  if (settings.host === "request" && read.host !== undefined) read.headers["host"] = read.host;
  const cancellation = new Cancellation();
  const onGone = (): void => cancellation.cancel(new DOMException("The client went away", "AbortError"));
  socket.on("error", ignored).once("close", onGone);
  const call = meshRequest({
    service: settings.service ?? "",
    method: request.method ?? "GET",
    path: judged,
    headers: read.headers,
    body: undefined,
    cancellation,
  });
  door.upgrade(call, webSocket).then(
    (switched) => {
      socket.off("close", onGone);
      if (socket.destroyed) switched.socket.destroy();
      else join(socket, head, switched);
    },
    (error: unknown) => {
      socket.off("close", onGone);
      if (socket.destroyed) return;
      const problem = refusalOf(error) ?? problemOf(error);
      const { onFailure } = settings;
      if (onFailure !== undefined) fenced("onFailure of a gateway", () => onFailure({ error, status: problem.status, requestId: id }));
      answer(problem);
    },
  );
}

/** An instance that answers with a status of its own has refused: its client learns it. */
function refusalOf(error: unknown): Problem | undefined {
  const status = isMeshError(error) && error.code === "ERR_MESH_PROTOCOL" ? error.attempts.at(-1)?.status : undefined;
  return status === undefined || status < 300 ? undefined : { status, headers: {} };
}

function join(socket: Duplex, head: Buffer, { headers, socket: instance }: SwitchedConnection): void {
  const lines: string[] = [];
  for (let index = 0; index < headers.length; index += 2) lines.push(`${headers[index]}: ${headers[index + 1]}\r\n`);
  socket.write(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1"));
  if (head.byteLength > 0) instance.write(head);
  // Each side ends the other, in both ways of an end: a half that is open for good would hold an instance.
  instance.on("error", ignored).once("close", () => socket.destroy());
  socket.once("close", () => instance.destroy());
  socket.pipe(instance).pipe(socket);
}

function answerOn(
  socket: Duplex,
  problem: Problem,
  { accept, id, name }: { readonly accept: string | undefined; readonly id: string | undefined; readonly name: string | false },
): void {
  const { status, headers } = problem;
  const { type, text } = problemText(problem, accept, id);
  const all: Record<string, string> = {
    ...headers,
    "content-type": type,
    "content-length": String(Buffer.byteLength(text)),
    connection: "close",
  };
  if (id !== undefined && name !== false) all[name] = id;
  const lines = Object.entries(all).map(([each, value]) => `${each}: ${value}\r\n`);
  socket.on("error", ignored);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}

/** The close of the connection tells. */
function ignored(): void {}
