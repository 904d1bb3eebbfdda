import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { type BodyReceiver, type ForwardedBody, isForwarded } from "../../core/http/body.ts";
import { bytesOf } from "../../core/http/body-chunks.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import { WrappedBody } from "../../core/http/wrapped-body.ts";
import type { Upstream } from "../../core/upstream.ts";

/**
 * Reads the answer to a call with one answer up to its end, as a part of the attempt: a status that stands in the trailers, behind a head that looks well, counts
 * then as one that stands in the head, and the call may be repeated. An answer with more than `maxBytes` goes up as it is, to be refused there.
 */
export function wholeAnswer(maxBytes: number): (response: MeshResponse, request: MeshRequest) => Promise<MeshResponse> {
  return (response) => {
    const { body } = response;
    // A status in the head is all, and what is no answer of gRPC is refused by its head.
    if (body.complete || !isForwarded(body) || headerOf(response, "grpc-status") !== undefined || response.status !== 200)
      return Promise.resolve(response);
    return new Promise((resolve, reject) => {
      const whole = new WholeBody(body, maxBytes, (error) => {
        if (error === undefined) resolve(new WholeAnswer(response, whole));
        else reject(error);
      });
      body.forward(whole);
    });
  };
}

class WholeAnswer implements MeshResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  readonly body: WholeBody;
  readonly upstream: Upstream | undefined;
  readonly rpcStatus: number | undefined;

  constructor({ status, statusText, headers, upstream, rpcStatus }: MeshResponse, body: WholeBody) {
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
    this.body = body;
    this.upstream = upstream;
    this.rpcStatus = rpcStatus;
  }
}

/** The chunks of a body that has been read, and that body, which knows its trailers and its end. */
class WholeBody extends WrappedBody implements ForwardedBody, BodyReceiver {
  readonly isWaiting = true;
  readonly #chunks: Uint8Array[] = [];
  readonly #told: (error: unknown) => void;
  #bytesLeft: number;
  #isTold = false;
  #receiver: BodyReceiver | undefined = undefined;

  constructor(inner: ForwardedBody, maxBytes: number, told: (error: unknown) => void) {
    super(inner);
    this.#bytesLeft = maxBytes;
    this.#told = told;
  }

  take(chunk: Uint8Array): boolean {
    if (this.#receiver !== undefined) return this.#receiver.take(chunk);
    this.#chunks.push(chunk);
    this.#bytesLeft -= chunk.byteLength;
    if (this.#bytesLeft >= 0) return true;
    this.#tell(undefined);
    return false;
  }

  end(error: unknown): void {
    if (this.#receiver !== undefined) this.#receiver.end(error);
    else this.#tell(error);
  }

  forward(receiver: BodyReceiver): void {
    for (const chunk of this.#chunks.splice(0)) receiver.take(chunk);
    if (this.complete) receiver.end(undefined);
    else this.#receiver = receiver;
  }

  resume(): void {
    (this.inner as ForwardedBody).resume();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(bytesOf(this.#chunks.splice(0)));
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const bytes = bytesOf(this.#chunks.splice(0));
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        if (bytes.byteLength > 0) controller.enqueue(bytes);
        controller.close();
      },
    });
  }

  #tell(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#told(error);
  }
}
