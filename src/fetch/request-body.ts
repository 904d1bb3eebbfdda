import { AsyncContext } from "../core/async-context.ts";
import type { RequestBody } from "../core/http/body.ts";
import { quoted } from "../core/text/clean-text.ts";
import { copiedBytes, isBlob, isFormData, tagOf } from "./brands.ts";
import { CallerStream, isStream } from "./caller-stream.ts";
import { encodeForm } from "./form.ts";

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

/** A body as the transport takes it. */
export interface ExtractedBody {
  readonly body: RequestBody;
  /** As in the Fetch standard. */
  readonly contentType?: string | undefined;
  /** The number of bytes of a body that does not tell it; `undefined` for one that tells, and where it is not known. */
  readonly length?: number | undefined;
  /** Ends the streams of the body, when the call has ended. */
  readonly letGo?: (reason: unknown) => void;
}

/**
 * "Extract a body" of the Fetch standard. Bytes are copied: later changes of the caller's buffer do not change the request or its retries. The
 * files of a form are read when they are sent. A stream has the length of the caller's `content-length`, where it is given.
 * @throws TypeError for a value that is no body, a stream without `duplex: "half"`, one that is locked or has been read, and a wrong length.
 */
export function extractBody(input: BodyInput, duplex: string | undefined, contentLength: string | undefined): ExtractedBody {
  if (typeof input === "string") return { body: input, contentType: "text/plain;charset=UTF-8" };
  const bytes = copiedBytes(input);
  if (bytes !== undefined) return { body: bytes };
  if (tagOf(input) === "URLSearchParams")
    return { body: String(input as URLSearchParams), contentType: "application/x-www-form-urlencoded;charset=UTF-8" };
  if (isBlob(input)) return { ...partsOf([input]), contentType: input.type || undefined };
  if (isFormData(input)) {
    const { parts, contentType } = encodeForm(input);
    return { ...partsOf(parts), contentType };
  }
  if (typeof input === "function") return madeBodies(input as () => AsyncIterable<Uint8Array | string>, lengthOf(contentLength));
  if (isStream(input)) {
    if (duplex !== "half") throw new TypeError('a stream as body needs `duplex: "half"`, as in the Fetch standard');
    const length = lengthOf(contentLength);
    const stream = new CallerStream(input, length);
    return { body: stream, length, letGo: stream.letGo };
  }
  throw new TypeError(`body: ${Object.prototype.toString.call(input)} is not something that can be sent`);
}

/** Text and blobs in turn as one body, without reading a blob before it is sent. */
function partsOf(parts: readonly (string | Blob)[]): ExtractedBody {
  const [first] = parts;
  if (parts.length === 1 && first instanceof Blob) return { body: first };
  if (parts.every((part) => typeof part === "string" || part instanceof Blob)) return { body: new Blob([...parts]) };
  // A blob of another class: Node's would take it for text.
  return madeBodies(
    async function* () {
      for (const part of parts) {
        if (typeof part === "string") yield part;
        else yield* new CallerStream(part.stream(), part.size);
      }
    },
    parts.reduce((sum, part) => sum + (typeof part === "string" ? Buffer.byteLength(part) : part.size), 0),
  );
}

/** The body that a function makes for each attempt, in the asynchronous context of the caller. */
function madeBodies(make: () => AsyncIterable<Uint8Array | string>, length: number | undefined): ExtractedBody {
  const context = new AsyncContext();
  const open: CallerStream[] = [];
  const body = () => {
    const made = context.run(make);
    // The transport tells what is wrong with it.
    if (!isStream(made)) return made;
    const stream = new CallerStream(made, length, context);
    open.push(stream);
    return stream;
  };
  const letGo = (reason: unknown) => {
    for (const stream of open.splice(0)) stream.letGo(reason);
  };
  return { body, length, letGo };
}

function lengthOf(contentLength: string | undefined): number | undefined {
  if (contentLength === undefined) return undefined;
  const length = Number(contentLength);
  if (/^\d+$/.test(contentLength) && Number.isSafeInteger(length)) return length;
  throw new TypeError(`headers: the content-length ${quoted(contentLength)} of a stream is not a number of bytes`);
}
