import { isUint8Array } from "node:util/types";
import type { MeshRequest } from "../core/dispatch.ts";
import { CallerFault } from "./failure.ts";

/** The forms of a body that undici takes. */
export type WireBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array | string> | null;

/**
 * The body for undici. A stream is wrapped: undici destroys the stream that it was given when an attempt is aborted, even one that never
 * started, and the same stream may be on its way to another instance by then.
 */
export function wireBody({ body }: MeshRequest): WireBody {
  const stream = typeof body === "function" ? streamOf(body) : body;
  if (stream === undefined) return null;
  return isStream(stream) ? readOnce(stream) : stream;
}

function streamOf(body: () => AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array | string> {
  try {
    const stream = body();
    if (isStream(stream)) return stream;
  } catch (cause) {
    throw new CallerFault("the function that makes the request body threw", { cause });
  }
  throw new CallerFault("the function that makes the request body did not return an async iterable");
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body && !(body instanceof Blob);
}

async function* readOnce(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  try {
    for await (const chunk of stream) {
      // undici would report a wrong chunk as a failed connection, which counts against the instance.
      if (typeof chunk !== "string" && !isUint8Array(chunk)) throw new TypeError("a chunk is neither a string nor a Uint8Array");
      yield chunk;
    }
  } catch (cause) {
    throw new CallerFault("the request body could not be read", { cause });
  }
}
