import type { MeshResponse, RpcProtocol } from "../dispatch.ts";
import { headerOf } from "../http/response-headers.ts";
import { httpStatusOf, readRpcStatus, rpcStatus, rpcStatusOfHttp } from "./rpc-status.ts";

/** The statuses that stand in bodies, by the body: whatever reads it has told them. */
const told = new WeakMap<object, number>();

/** Tells the status that stands in a body, before the body closes: gRPC-Web and the streams of Connect have it in their last frame. */
export function tellRpcStatus({ body }: Pick<MeshResponse, "body">, code: number): void {
  told.set(body, code);
}

/**
 * The status that a response to a remote procedure call has told so far: in its body, in its head, or in its trailers once the body has closed.
 * `undefined` while nothing has told one, where the HTTP status tells it, and where the protocol may tell none. A response of gRPC that ends without a
 * status is `UNKNOWN`.
 */
export function rpcStatusIn(response: MeshResponse, protocol: RpcProtocol): number | undefined {
  const inBody = told.get(response.body);
  if (inBody !== undefined || protocol === "connect" || response.status !== 200) return inBody;
  const inHead = headerOf(response, "grpc-status");
  if (inHead !== undefined) return readRpcStatus(inHead);
  if (protocol === "grpc-web" || !response.body.complete) return undefined;
  const inTrailers = trailerOf(response.body.trailers, "grpc-status");
  return inTrailers === undefined ? rpcStatus.UNKNOWN : readRpcStatus(inTrailers);
}

/** The first value of a trailer (name in lower case). */
export function trailerOf(trailers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < trailers.length; index += 2) if (trailers[index] === name) return trailers[index + 1];
  return undefined;
}

/**
 * The HTTP status that a response counts as, everywhere in the mesh: its own, or the one that says the same as the status of the remote procedure call
 * that it answers. So one table says for every protocol which answers are failures, and of what.
 */
export function countedStatus({ status, rpcStatus: code }: Pick<MeshResponse, "status" | "rpcStatus">): number {
  return code === undefined ? status : httpStatusOf(code);
}

/**
 * The code of gRPC of a response to a remote procedure call, as its caller sees it: where the response has none, by its HTTP status. `undefined` without a
 * response.
 */
export function shownRpcStatus(response: Pick<MeshResponse, "status" | "rpcStatus"> | undefined): number | undefined {
  return response === undefined
    ? undefined
    : (response.rpcStatus ?? (response.status === 200 ? rpcStatus.OK : rpcStatusOfHttp(response.status)));
}
