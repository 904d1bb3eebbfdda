import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServerRequest } from "../node-server.ts";
import { isGrpcType } from "./refusal-status.ts";

/**
 * A stream of HTTP/2 as the request that it is: listeners of streams, such as those of gRPC servers, get no other one, and the parts in front of them know
 * requests. The headers are those that the listeners get, so that what a part takes out is gone for them too.
 */
export class StreamRequest {
  readonly isOfStream = true;
  readonly httpVersion = "2.0";
  readonly httpVersionMajor = 2;
  readonly httpVersionMinor = 0;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Whether it is a call of gRPC. */
  readonly isRpc: boolean;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.stream = stream;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.isRpc = isGrpcType(headers["content-type"]);
  }

  get method(): string {
    return String(this.headers[":method"] ?? "GET");
  }

  get url(): string {
    return String(this.headers[":path"] ?? "/");
  }

  get authority(): string {
    return String(this.headers[":authority"] ?? this.headers.host ?? "");
  }

  get socket(): unknown {
    return this.stream.session?.socket ?? {};
  }

  /** Whether nothing more of it comes. */
  get complete(): boolean {
    return this.stream.endAfterHeaders || this.stream.readableEnded;
  }
}

/** The stream as a request, for what takes requests. */
export function asRequest(request: StreamRequest): ServerRequest {
  return request as unknown as ServerRequest;
}

/** The stream request behind a request; `undefined` for one that has a listener of requests. */
export function streamRequestOf(request: ServerRequest): StreamRequest | undefined {
  return "isOfStream" in request ? (request as unknown as StreamRequest) : undefined;
}
