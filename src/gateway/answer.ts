import type { Clock } from "../core/clock.ts";
import { endReply, type ServerReply, type ServerRequest } from "../server/node-server.ts";
import { type Admission, byName } from "./admission.ts";
import { type Problem, problemText } from "./problem.ts";

/** How long the rest of a request is read after its response has ended, in milliseconds: a connection that closes before may take the response with it. */
const lingerMs = 2_000;

/** Answers a request that could not be passed on. */
export function answerProblem(request: ServerRequest, reply: ServerReply, problem: Problem, { head, id, answerHeaders }: Admission): void {
  const { type, text } = problemText(problem, head.headers["accept"], id?.value);
  const isSecond = request.httpVersionMajor >= 2;
  reply.statusCode = problem.status;
  // HTTP/2 has no header of the connection.
  const headers = answerHeaders === undefined ? problem.headers : { ...byName(answerHeaders), ...problem.headers };
  for (const [name, value] of Object.entries(headers)) if (!isSecond || name !== "connection") reply.setHeader(name, value);
  if (id !== undefined) reply.setHeader(id.name, id.value);
  if (problem.status === 204) {
    endReply(reply);
    return;
  }
  reply.setHeader("content-type", type);
  reply.setHeader("content-length", String(Buffer.byteLength(text)));
  if (request.method === "HEAD") endReply(reply);
  else endReply(reply, text);
}

/** Reads what is left of a request whose response has ended, for a while; then its connection closes. */
export function readTheRest(request: ServerRequest, clock: Clock): void {
  if (request.complete || request.httpVersionMajor >= 2) return;
  const timer = clock.setTimer(() => request.destroy(), lingerMs, false);
  const clear = (): void => clock.clearTimer(timer);
  request.once("end", clear).once("close", clear).resume();
}

/** Ends a response that cannot be whole, so that the client sees it. */
export function cutOff(reply: ServerReply): void {
  // INTERNAL_ERROR (RFC 9113 §7).
  if ("stream" in reply) reply.stream.close(2);
  else reply.destroy();
}
