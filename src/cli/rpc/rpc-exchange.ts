import { readRpcStatus, rpcStatus, rpcStatusOfHttp } from "../../core/rpc/rpc-status.ts";
import type { Mesh, MeshRequestInit, Reply } from "../../index.ts";
import { FrameReader, writeFrame } from "../../rpc/frames.ts";
import { readGrpcMessage } from "../../rpc/grpc-message.ts";

/** The largest message of an answer: it is held in memory. */
const maxMessage = 64 * 1_048_576;

/** The end of a call. */
export interface RpcEnd {
  readonly code: number;
  readonly message: string;
}

/** A call under way. */
export interface RpcExchange {
  /** The messages of the answer. Read to the end, they make the status known. */
  readonly messages: AsyncIterable<Uint8Array>;
  readonly head: Reply;
  /** The status, once the messages have ended. */
  end(): RpcEnd;
}

/** The messages of a call of gRPC, and where they go. */
export interface RpcSend {
  /** `orders/shop.v1.Orders/Get` */
  readonly target: string;
  readonly messages: readonly Uint8Array[];
  readonly init: Omit<MeshRequestInit, "method" | "body">;
}

/** Sends all messages of a call, and resolves with its answer. */
export async function exchangeRpc(mesh: Mesh, { target, messages, init }: RpcSend): Promise<RpcExchange> {
  const headers = new Headers(init.headers as Headers);
  headers.set("content-type", "application/grpc");
  headers.set("te", "trailers");
  const body = Buffer.concat(messages.map((each) => writeFrame(0, each)));
  const reply = await mesh.request(target, { ...init, method: "POST", headers, body });
  return { head: reply, messages: messagesOf(reply), end: () => endOf(reply) };
}

async function* messagesOf(reply: Reply): AsyncIterable<Uint8Array> {
  const reader = new FrameReader(maxMessage);
  for await (const chunk of reply.body.stream())
    for (const { flags, data } of reader.push(chunk)) {
      if (flags !== 0) throw new Error("the instance has compressed a message, and was not asked to");
      yield data;
    }
  reader.end();
}

function endOf(reply: Reply): RpcEnd {
  const fields = reply.trailers["grpc-status"] === undefined ? reply.headers : reply.trailers;
  const { "grpc-status": code, "grpc-message": message } = fields;
  if (typeof code === "string") return { code: readRpcStatus(code), message: readGrpcMessage(String(message ?? "")) };
  if (reply.statusCode !== 200)
    return {
      code: rpcStatusOfHttp(reply.statusCode),
      message: `the instance is no server of gRPC, or a proxy has answered: HTTP ${reply.statusCode}`,
    };
  return { code: rpcStatus.UNKNOWN, message: "the answer has no grpc-status: the instance is no server of gRPC" };
}
