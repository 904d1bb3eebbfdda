import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream, type ServerStreamResponseOptions } from "node:http2";
import { httpStatusOf, readRpcStatus } from "../../core/rpc/rpc-status.ts";
import type { ServerReply } from "../node-server.ts";
import { refusalFields, rpcStatusOfRefusal } from "./refusal-status.ts";

/** The load report, which a call of gRPC has in its trailers (gRFC A51). */
const loadHeader = /^endpoint-load-metrics/;
/** How long the rest of a call that was refused is read, in milliseconds. */
const lingerMs = 1_000;

/** The methods of a stream by which its listeners answer. */
interface Answering {
  respond: (headers?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions) => void;
  sendTrailers: (trailers: OutgoingHttpHeaders) => void;
}

/**
 * The answer on a stream of HTTP/2 that a listener of streams gives: what parts add to its headers goes out with the listener's own, the load report of a call
 * of gRPC with its trailers, and the status of the call is known at its end.
 */
export class StreamReply {
  readonly isOfStream = true;
  readonly stream: ServerHttp2Stream;
  /** The status of HTTP; of a call of gRPC the one that says the same as its own. */
  statusCode = 200;
  /** The status of a call of gRPC; `undefined` while it has none. */
  rpcStatus: number | undefined = undefined;
  readonly #isRpc: boolean;
  #head: Record<string, string> | undefined = undefined;
  #trailers: Record<string, string> | undefined = undefined;

  constructor(stream: ServerHttp2Stream, isRpc: boolean) {
    this.stream = stream;
    this.#isRpc = isRpc;
    // Its own listeners may come later, or never: an error without one would end the process.
    stream.on("error", ignore);
    const answering: Answering = stream;
    const { respond, sendTrailers } = answering;
    answering.respond = (headers = {}, options) => {
      this.#learn(headers);
      // Without a body and trailers, the head is all there is.
      const late = options?.endStream === true ? this.#trailers : undefined;
      respond.call(stream, { ...headers, ...this.#head, ...late }, options);
    };
    answering.sendTrailers = (trailers) => {
      this.#learn(trailers);
      sendTrailers.call(stream, { ...trailers, ...this.#trailers });
    };
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  get sentHeaders(): OutgoingHttpHeaders {
    return this.stream.sentHeaders;
  }

  get writable(): boolean {
    return this.stream.writable;
  }

  get writableEnded(): boolean {
    return this.stream.writableEnded;
  }

  get destroyed(): boolean {
    return this.stream.destroyed;
  }

  setHeader(name: string, value: string | number): void {
    const lower = name.toLowerCase();
    if (this.#isRpc && loadHeader.test(lower)) this.#trailers = { ...this.#trailers, [lower]: String(value) };
    else this.#head = { ...this.#head, [lower]: String(value) };
  }

  getHeader(name: string): unknown {
    const lower = name.toLowerCase();
    return this.headersSent ? this.stream.sentHeaders[lower] : this.#head?.[lower];
  }

  once(event: string, listener: (...args: unknown[]) => void): this {
    this.stream.once(event, listener);
    return this;
  }

  /** Answers in place of the listeners: a call of gRPC by a status alone, with `text` as its message. */
  end(text = ""): void {
    const { stream } = this;
    if (stream.destroyed || stream.headersSent) return;
    if (this.#isRpc) this.#endCall(text);
    else {
      stream.respond({ ":status": this.statusCode });
      stream.end(text);
    }
    if (stream.readableEnded) return;
    // Flow control holds up the client of a body that is not read; one that goes on without an end is told to stop.
    stream.resume();
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), lingerMs);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
  }

  #endCall(text: string): void {
    const { "content-type": _type, "content-length": _length, "retry-after": wait, ...head } = this.#head ?? {};
    this.#head = head;
    const code = this.rpcStatus ?? rpcStatusOfRefusal(this.statusCode);
    const fields = { ":status": 200, "content-type": "application/grpc", ...refusalFields(code, text.trim(), wait) };
    this.stream.respond(fields, { endStream: true });
  }

  #learn(fields: OutgoingHttpHeaders): void {
    const { ":status": status, "grpc-status": given } = fields;
    if (typeof status === "number") this.statusCode = status;
    if (!this.#isRpc || given === undefined) return;
    this.rpcStatus = readRpcStatus(String(given));
    this.statusCode = httpStatusOf(this.rpcStatus);
  }
}

function ignore(): void {}

/** The answer on a stream, for what takes responses. */
export function asReply(reply: StreamReply): ServerReply {
  return reply as unknown as ServerReply;
}

/** The answer on a stream behind a response; `undefined` for one of a listener of requests. */
export function streamReplyOf(reply: ServerReply): StreamReply | undefined {
  return "isOfStream" in reply ? (reply as unknown as StreamReply) : undefined;
}
