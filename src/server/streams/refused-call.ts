import type { RpcProtocol } from "../../core/dispatch.ts";
import { grpcProtocolOf } from "../../core/rpc/rpc-call.ts";
import { connectCodeName } from "../../rpc/connect-code.ts";
import { endReply, type ServerReply, type ServerRequest } from "../node-server.ts";
import { refusalFields } from "./refusal-status.ts";

/** The refusal of a call. */
export interface CallRefusal {
  readonly why: string;
  /** The code of gRPC. */
  readonly code: number;
  /** The status of HTTP, which Connect has beside it. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The protocol by which the caller of a remote procedure takes a refusal of a listener of requests. `undefined` for every other request, for a stream of
 * Connect, whose callers read the status of HTTP, and for a listener of streams, whose answers have the form already.
 */
export function refusedProtocol({ method, headers }: ServerRequest, reply: ServerReply): RpcProtocol | undefined {
  if (method !== "POST" || "isOfStream" in reply) return undefined;
  const type = headers["content-type"] ?? "";
  const protocol = grpcProtocolOf(type);
  if (protocol !== undefined) return protocol;
  return headers["connect-protocol-version"] === "1" && /^application\/(?:proto|json)(?:;|$)/i.test(type) ? "connect" : undefined;
}

/** Refuses a call in the form of its protocol: of gRPC by a head without a body, of Connect by an error in JSON. */
export function refuseCall(reply: ServerReply, protocol: RpcProtocol, { why, code, status, headers }: CallRefusal): void {
  const { "retry-after": wait, ...others } = headers;
  if (protocol === "connect") {
    const text = JSON.stringify({ code: connectCodeName(code), message: why });
    setAll(reply, { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) });
    reply.statusCode = status;
    endReply(reply, text);
    return;
  }
  setAll(reply, { ...others, "content-type": `application/${protocol}`, ...refusalFields(code, why, wait) });
  reply.statusCode = 200;
  endReply(reply);
}

function setAll(reply: ServerReply, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) reply.setHeader(name, value);
}
