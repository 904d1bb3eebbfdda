import type { UnderlyingByteSource } from "node:stream/web";
import type { Interceptor } from "../core/dispatch.ts";
import { MeshError, tooLargeToCollect } from "../core/errors.ts";
import type { CloseListener, ResponseBody } from "../core/http/body.ts";
import { bytesOf } from "../core/http/body-chunks.ts";
import { endByteStream } from "../core/http/byte-stream.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { WrappedBody } from "../core/http/wrapped-body.ts";
import { layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, integer } from "../core/settings/rules.ts";

/**
 * Refuses response bodies of more than `max` bytes as they come over the wire: at once where `content-length` says so, else with the
 * first byte too many. The call, or the reading of its body, rejects with `ERR_MESH_BODY`, and the connection is closed.
 */
export function maxResponseBytes(max: number, maxCollected: number | false = false): Interceptor {
  return (next) => (request) =>
    next(request).then((response) => {
      const refusal = () => {
        const { service, attempts } = request;
        const message = `the response of "${service}" is larger than ${max} bytes (maxResponseBytes)`;
        return new MeshError("ERR_MESH_BODY", message, { service, attempts: [...attempts] });
      };
      // The length in the answer to a HEAD, and in a 304 or 204, is that of another response or of none (RFC 9110 §8.6).
      const isOfBody = request.method !== "HEAD" && response.status !== 304 && response.status !== 204;
      if (isOfBody && Number(headerOf(response, "content-length")) > max) {
        response.body.cancel();
        throw refusal();
      }
      const { status, statusText, headers, upstream } = response;
      return {
        status,
        statusText,
        headers,
        upstream,
        body: new BoundedBody(response.body, { max, refusal, maxCollected, service: request.service }),
      };
    });
}

/** The limits of a {@link BoundedBody}. */
interface Bounds {
  readonly max: number;
  /** The error of a larger body. */
  readonly refusal: () => MeshError;
  /** The most bytes that are collected; `false` = no limit. */
  readonly maxCollected: number | false;
  readonly service: string;
}

/** A body that is given up with the first byte beyond its limit. */
class BoundedBody extends WrappedBody {
  readonly #bounds: Bounds;
  #bytesLeft: number;
  /** The error with which the body was given up; `undefined` before. */
  #error: MeshError | undefined = undefined;

  constructor(inner: ResponseBody, bounds: Bounds) {
    super(inner);
    this.#bytesLeft = bounds.max;
    this.#bounds = bounds;
  }

  override onClose(listener: CloseListener): void {
    this.inner.onClose((error) => listener(this.#error ?? error));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    const { maxCollected, service } = this.#bounds;
    let size = 0;
    for await (const chunk of this.stream("collect")) {
      size += chunk.byteLength;
      if (maxCollected !== false && size > maxCollected) throw this.#giveUp(tooLargeToCollect(service, maxCollected));
      chunks.push(chunk);
    }
    return bytesOf(chunks);
  }

  stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = this.inner.stream(purpose).getReader();
    const source: UnderlyingByteSource = {
      type: "bytes",
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (done) endByteStream(controller, undefined);
        else controller.enqueue(this.#counted(value));
      },
      cancel: (reason) => reader.cancel(reason),
    };
    return new ReadableStream(source) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  #giveUp(error: MeshError): MeshError {
    this.#error = error;
    // For the instance it is a body that its reader gave up: it has done nothing wrong.
    this.inner.cancel();
    return error;
  }

  #counted(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#bytesLeft -= chunk.byteLength;
    if (this.#bytesLeft >= 0) return chunk;
    throw this.#giveUp(this.#bounds.refusal());
  }
}

/** The option of {@link maxResponseBytesLayer}. */
export interface MaxResponseBytesOption {
  /**
   * The largest body of a response, in bytes as they come over the wire; a larger one is given up with `ERR_MESH_BODY`. @default no limit
   */
  readonly maxResponseBytes?: number;
}

/** The rule of {@link MaxResponseBytesOption}. */
export const maxResponseBytesOption = optionTable<MaxResponseBytesOption>()({
  maxResponseBytes: atOnce(integer({ min: 0, unit: "bytes", defaultText: "no limit" })),
});

/** Above the breakers: a response that is too large for this caller is no fault of an instance. */
export const maxResponseBytesLayer = layer({
  name: "largest response",
  options: maxResponseBytesOption,
  build: ({ maxResponseBytes: max }, { maxCollectedBytes }: { readonly maxCollectedBytes: number | false }) =>
    max === undefined ? undefined : maxResponseBytes(max, maxCollectedBytes),
});
