import type { Http2ServerResponse } from "node:http2";
import { writeFrame } from "../../rpc/frames.ts";
import { writeGrpcMessage } from "../../rpc/grpc-message.ts";
import type { ServerReply } from "../node-server.ts";
import { streamReplyOf } from "../streams/stream-reply.ts";

const head = { "content-type": "application/grpc", "grpc-accept-encoding": "identity" };

/** Answers a call of gRPC in place of any handler: on a stream, or by the response of a listener of requests. */
export class RpcAnswer {
  readonly #reply: ServerReply;
  #hasBegun = false;
  #hasEnded = false;

  constructor(reply: ServerReply) {
    this.#reply = reply;
  }

  /** Whether nothing more can be sent. */
  get isOver(): boolean {
    return this.#hasEnded || this.#reply.destroyed;
  }

  message(message: Uint8Array): void {
    if (this.isOver) return;
    const frame = writeFrame(0, message);
    const reply = this.#reply as Http2ServerResponse;
    const { stream } = reply;
    if (streamReplyOf(this.#reply) === undefined) {
      if (!this.#hasBegun) reply.writeHead(200, head);
      reply.write(frame);
    } else {
      if (!this.#hasBegun) stream.respond({ ":status": 200, ...head }, { waitForTrailers: true });
      stream.write(frame);
    }
    this.#hasBegun = true;
  }

  end(code: number, text = ""): void {
    if (this.isOver) return;
    this.#hasEnded = true;
    const reply = this.#reply as Http2ServerResponse;
    const { stream } = reply;
    const fields = { "grpc-status": String(code), "grpc-message": writeGrpcMessage(text) };
    const isOfStream = streamReplyOf(this.#reply) !== undefined;
    if (!this.#hasBegun) {
      if (isOfStream) stream.respond({ ":status": 200, ...head, ...fields }, { endStream: true });
      else reply.writeHead(200, { ...head, ...fields }).end();
      return;
    }
    if (isOfStream) {
      stream.once("wantTrailers", () => stream.sendTrailers(fields));
      stream.end();
    } else {
      reply.addTrailers(fields);
      reply.end();
    }
  }
}
