import type { OutgoingHttpHeaders } from "node:http";
import { readRpcStatus } from "../../core/rpc/rpc-status.ts";
import type { ServerReply, ServerRequest } from "../node-server.ts";
import { isGrpcType } from "./refusal-status.ts";

/** Whether a request to a listener of requests is a call of gRPC, as routers of Connect take them over HTTP/2. */
export function isGrpcOfListener(request: ServerRequest): boolean {
  return request.httpVersionMajor >= 2 && request.method === "POST" && isGrpcType(request.headers["content-type"]);
}

interface SentFields {
  readonly sentHeaders?: OutgoingHttpHeaders;
  readonly sentTrailers?: OutgoingHttpHeaders;
}

/** The status of a call that such a listener has sent, in its trailers or in a head without a body; `undefined` where it has sent none. */
export function sentRpcStatus(reply: ServerReply): number | undefined {
  const { sentHeaders, sentTrailers } = ((reply as { readonly stream?: SentFields }).stream ?? {}) as SentFields;
  const sent = sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"];
  return sent === undefined ? undefined : readRpcStatus(String(sent));
}
