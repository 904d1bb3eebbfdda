import { errorMonitor } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Lease } from "../attempts/lease.ts";
import { MeshError } from "../core/errors.ts";
import { isResponseHeaderOfTheMesh } from "../core/http/own-headers.ts";
import { removeHeaders } from "../core/http/raw-headers.ts";
import { isOwnFault } from "../core/local-resources.ts";
import { outcomeOfResponse } from "../core/outcome.ts";
import { serviceLocation } from "../fetch/redirect.ts";

/** The errors of connections that could not be made, so that they are told from those with which a client gives up its request. */
const connectionFailures = new WeakSet<Error>();

/** Marks the error of a connection that could not be made. */
export function connectionFailed(error: Error): Error {
  connectionFailures.add(error);
  return error;
}

/**
 * Settles the lease with the outcome of the request, once. Its listeners change nothing for the client: without a listener of its own, the error
 * of a request is still thrown, its response dropped, and its upgrade refused.
 */
export function follow(request: ClientRequest, lease: Lease, origin: string): void {
  let isAnswered = false;
  let isCutOff = false;
  request.once("finish", () => lease.sent());
  request.prependOnceListener("response", (response) => {
    isAnswered = true;
    const head = { status: response.statusCode ?? 0, headers: lowerCased(response.rawHeaders), upstream: lease.upstream };
    lease.head(head.status, head.headers);
    withoutOwnHeaders(response);
    // Only a body in chunks has trailers.
    if (response.headers["transfer-encoding"] !== undefined) response.prependOnceListener("end", () => withoutOwnTrailers(response));
    const location = serviceLocation(head, origin);
    if (location !== undefined) setLocation(response, location);
    const outcome = outcomeOfResponse({ status: response.statusCode ?? 0 });
    const { socket } = response;
    // The instance has ended or reset the connection. Where the client gives up, its socket only closes.
    const onCutOff = (error?: Error) => {
      isCutOff ||= error === undefined || "syscall" in error;
    };
    socket.once("end", onCutOff);
    socket.once("error", onCutOff);
    response.once("close", () => {
      socket.off("end", onCutOff);
      socket.off("error", onCutOff);
      lease.settle(response.complete ? outcome : isCutOff ? "failure" : "neutral");
    });
    if (request.listenerCount("response") === 0) response.resume();
  });
  request.prependOnceListener("upgrade", (response, socket) => {
    isAnswered = true;
    lease.head(response.statusCode ?? 101, lowerCased(response.rawHeaders));
    withoutOwnHeaders(response);
    socket.once("close", () => lease.settle("success"));
    if (request.listenerCount("upgrade") === 0) socket.destroy();
  });
  request.once(errorMonitor, (error: Error) => {
    if (isAnswered) {
      // The client has its head, and gets this error in place of the end of the body.
      if (isOfTheParser(error)) lease.settle("failure");
      return;
    }
    if (connectionFailures.has(error)) {
      // A process that has run out of something learns nothing about the instance.
      lease.settle(isOwnFault(error) ? "neutral" : "failure", true);
      return;
    }
    // No evidence about the instance: the client has given up, or a kept connection had been closed meanwhile.
    const isOurs = error instanceof MeshError || request.reusedSocket || !isOfTheConnection(error, request);
    lease.settle(isOurs ? "neutral" : "failure");
  });
  request.once("close", () => {
    if (!isAnswered) lease.settle("neutral");
  });
}

/** Takes the headers that end at the mesh out of a response, before its client looks at it. */
function withoutOwnHeaders(response: IncomingMessage): void {
  const { rawHeaders: raw } = response;
  if (raw.some((part, index) => index % 2 === 0 && isOwn(part)))
    removeHeaders({ raw, objects: [response.headers, response.headersDistinct] }, isOwn);
}

function withoutOwnTrailers(response: IncomingMessage): void {
  const { rawTrailers: raw } = response;
  if (raw.length > 0) removeHeaders({ raw, objects: [response.trailers, response.trailersDistinct] }, isOwn);
}

function isOwn(name: string): boolean {
  return isResponseHeaderOfTheMesh(name.toLowerCase());
}

function setLocation({ headers, headersDistinct, rawHeaders }: IncomingMessage, location: string): void {
  headers.location = location;
  headersDistinct["location"] = [location];
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === "location") rawHeaders[index + 1] = location;
}

function lowerCased(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
}

/** Whether an error is one of a socket or of the HTTP parser, and not one with which the client gave up its request. */
function isOfTheConnection(error: Error, request: ClientRequest): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // "socket hang up" is the error of a connection that the instance has ended, and of a request that the client has destroyed.
  if (code === "ECONNRESET" && syscall === undefined) return request.socket?.readableEnded ?? false;
  return syscall !== undefined || isOfTheParser(error);
}

/** Whether an error is that of the HTTP parser: the instance has sent something else. */
function isOfTheParser({ code }: NodeJS.ErrnoException): boolean {
  return typeof code === "string" && code.startsWith("HPE_");
}
