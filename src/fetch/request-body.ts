import { Readable } from "node:stream";
import { isUint8Array } from "node:util/types";
import type { RequestBody } from "../core/http/body.ts";

/** A request body: any that `fetch` takes, a stream of Node, an async iterable, or a function that makes a stream for each attempt. */
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

/** A body as the transport takes it, and its content type in the Fetch standard. */
export interface ExtractedBody {
  readonly body: RequestBody;
  readonly contentType: string | undefined;
}

/**
 * "Extract a body" of the Fetch standard. Bytes are copied: later changes of the caller's buffer do not change the request or its retries.
 * Returns a promise only for a form.
 * @throws TypeError for a value that is no body, a stream without `duplex: "half"`, and a stream that is locked or has been read.
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

/** By tag, not by class: the `FormData` of the package undici is another class than the global one. */
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
  // Encoded once: the boundaries in the header and in the body have to agree in every attempt.
  const encoded = new Response(global);
  const contentType = encoded.headers.get("content-type") ?? undefined;
  return { body: await encoded.blob(), contentType };
}
