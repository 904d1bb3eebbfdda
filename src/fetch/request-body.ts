import { Readable } from "node:stream";
import { isUint8Array } from "node:util/types";
import type { RequestBody } from "../core/http/body.ts";

/** The bodies of the Fetch standard, Node streams, async iterables, and functions that make a new stream for each attempt. */
export type BodyInput =
  | string
  | ArrayBuffer
  | NodeJS.ArrayBufferView
  | Blob
  | URLSearchParams
  | FormData
  | ReadableStream
  | AsyncIterable<Uint8Array | string>
  | (() => AsyncIterable<Uint8Array | string>);

/** A body that can be sent, and the content type that the Fetch standard gives it. */
export interface ExtractedBody {
  readonly body: RequestBody;
  readonly contentType: string | undefined;
}

/**
 * The Fetch standard's "extract a body". Bytes are copied, so that later changes of the caller's buffer change neither the request nor a
 * retry of it.
 * @throws TypeError for a value that is no body.
 */
export function extractBody(input: BodyInput, duplex: string | undefined): ExtractedBody | Promise<ExtractedBody> {
  if (typeof input === "string") return { body: input, contentType: "text/plain;charset=UTF-8" };
  if (isUint8Array(input)) return { body: Uint8Array.from(input), contentType: undefined };
  if (input instanceof URLSearchParams) return { body: input.toString(), contentType: "application/x-www-form-urlencoded;charset=UTF-8" };
  if (input instanceof Blob) return { body: input, contentType: input.type || undefined };
  if (input instanceof ArrayBuffer) return { body: new Uint8Array(input.slice(0)), contentType: undefined };
  if (ArrayBuffer.isView(input))
    return { body: Uint8Array.from(new Uint8Array(input.buffer, input.byteOffset, input.byteLength)), contentType: undefined };
  if (isFormData(input)) return encodeForm(input);
  if (typeof input === "function") return { body: input as () => AsyncIterable<Uint8Array | string>, contentType: undefined };
  if (typeof input === "object" && input !== null && Symbol.asyncIterator in input) {
    if (duplex !== "half") throw new TypeError('a stream as body needs `duplex: "half"`, as in the Fetch standard');
    if (isSpent(input)) throw new TypeError("the stream given as body is locked or has been read already");
    return { body: input as AsyncIterable<Uint8Array | string>, contentType: undefined };
  }
  throw new TypeError(`body: ${Object.prototype.toString.call(input)} is not something that can be sent`);
}

/** By its tag and not by its class: the FormData of the undici package is another class than the global one. */
function isFormData(input: unknown): input is FormData {
  return typeof input === "object" && input !== null && Object.prototype.toString.call(input) === "[object FormData]";
}

function isSpent(stream: AsyncIterable<unknown>): boolean {
  if (stream instanceof ReadableStream) return stream.locked || Readable.isDisturbed(stream as never);
  return stream instanceof Readable && (stream.destroyed || Readable.isDisturbed(stream));
}

async function encodeForm(form: FormData): Promise<ExtractedBody> {
  const global = new FormData();
  for (const [name, value] of form) {
    if (typeof value === "string") global.append(name, value);
    else global.append(name, value, value.name);
  }
  // Encoded once, so that the boundaries in the header and in the body agree in every attempt.
  const encoded = new Response(global);
  const contentType = encoded.headers.get("content-type") ?? undefined;
  return { body: await encoded.blob(), contentType };
}
