import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Cancellation } from "../core/cancellation.ts";
import { isMeshError } from "../core/errors.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { fenced } from "../core/observing/fence.ts";
import { AnsweredUpgrade, type SwitchedConnection } from "../core/stages/mesh-door.ts";
import type { ServerRequest } from "../server/node-server.ts";
import { Admission, byName, type Verdict } from "./admission.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { type Problem, problemOf, problemText } from "./problem.ts";
import { relay } from "./relayed-socket.ts";

/** The only protocol that a connection is changed to: any other, such as `h2c`, would be a tunnel past all rules. */
const webSocket = "websocket";

const otherProtocol: Problem = { status: 501, headers: {}, detail: "the connection is not changed to this protocol" };

/** Whether a request asks for a protocol that the gateway changes to. */
export function wantsSwitch(request: ServerRequest): boolean {
  return String(request.headers["upgrade"]).toLowerCase() === webSocket;
}

/** Changes a connection to another protocol by way of an instance, and passes bytes both ways from then on. */
export function switchThrough(parts: GatewayParts, request: ServerRequest, socket: Duplex, head: Buffer): void {
  parts.open.begin();
  socket.on("error", ignored).once("close", () => parts.open.end());
  const admission = new Admission(parts, request);
  const decide = (verdict: Verdict): void => {
    if (socket.destroyed) return;
    if (verdict === undefined) ask(parts, request, socket, { admission, head });
    else answerOn(socket, verdict, admission);
  };
  const verdict = wantsSwitch(request) ? admission.judge() : otherProtocol;
  if (verdict instanceof Promise) void verdict.then(decide);
  else decide(verdict);
}

/** Asks an instance. */
function ask(
  parts: GatewayParts,
  request: ServerRequest,
  socket: Duplex,
  { admission, head }: { admission: Admission; head: Buffer },
): void {
  const { settings, door } = parts;
  const cancellation = new Cancellation();
  const onGone = (): void => cancellation.cancel(new DOMException("The client went away", "AbortError"));
  socket.once("close", onGone);
  const call = meshRequest({
    service: settings.service ?? "",
    method: request.method ?? "GET",
    path: admission.path,
    headers: admission.head.headers,
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
      if (onFailure !== undefined)
        fenced("onFailure of a gateway", () => onFailure({ error, status: problem.status, requestId: admission.id?.value }));
      answerOn(socket, problem, admission);
    },
  );
}

/** An answer to an upgrade. `text`: the body that a rule gives it, with its own type; `undefined`: the text of the status. */
interface Refusal extends Problem {
  readonly text?: string;
}

/** A rule that answers by itself, or an instance that answers with a status of its own, has refused: its client learns it. */
function refusalOf(error: unknown): Refusal | undefined {
  if (isMeshError(error) && error.cause instanceof AnsweredUpgrade) {
    const { "content-length": _length, ...headers } = byName(error.cause.headers);
    return { status: error.cause.status, headers, text: error.cause.text };
  }
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
  socket.pipe(instance);
  relay(instance, socket);
}

function answerOn(socket: Duplex, problem: Refusal, { head, id, answerHeaders = [] }: Admission): void {
  const { status } = problem;
  const { type, text } =
    problem.text === undefined ? problemText(problem, head.headers["accept"], id?.value) : { type: undefined, text: problem.text };
  const all: Record<string, string> = { ...byName(answerHeaders), ...problem.headers, connection: "close" };
  if (type !== undefined) all["content-type"] = type;
  all["content-length"] = String(Buffer.byteLength(text));
  if (id !== undefined) all[id.name] = id.value;
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}

/** The close of the connection tells. */
function ignored(): void {}
