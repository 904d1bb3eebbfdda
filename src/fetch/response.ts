import { Readable } from "node:stream";
import type { UnderlyingByteSource } from "node:stream/web";
import { inspect } from "node:util";
import type { MeshResponse } from "../core/dispatch.ts";
import { tooLargeToCollect } from "../core/errors.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { bytesOf } from "../core/http/body-chunks.ts";

const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * A standard `Response` whose body is still on the wire.
 *
 * It is `instanceof Response` and has all members of one, but is not made by its constructor, which takes 10 µs and sets up a stream that most
 * callers do not use. Members that need a real `Response` make one: `clone`, `formData`, `blob`, and the readers after `body` was read.
 */
class LazyResponse {
  readonly #message: MeshResponse;
  readonly #wire: ResponseBody;
  readonly #url: string;
  readonly #hasBody: boolean;
  readonly #redirected: boolean;
  readonly #collects: CollectLimit | undefined;
  #headers: Headers | undefined = undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined = undefined;

  constructor(message: MeshResponse, { body, url, hasBody, redirected, collects }: ResponseParts) {
    this.#message = message;
    this.#wire = body;
    this.#url = url;
    this.#hasBody = hasBody;
    this.#redirected = redirected;
    this.#collects = collects;
  }

  get status(): number {
    return this.#message.status;
  }

  get statusText(): string {
    return this.#message.statusText;
  }

  get ok(): boolean {
    return this.#message.status >= 200 && this.#message.status <= 299;
  }

  get url(): string {
    return this.#url;
  }

  get type(): "basic" {
    return "basic";
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  /** The trailers, beyond the standard; empty until the body has closed. */
  get trailers(): Headers {
    return headersFrom(this.#wire.trailers);
  }

  get headers(): Headers {
    this.#headers ??= headersFrom(this.#message.headers);
    return this.#headers;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (!this.#hasBody) return null;
    this.#stream ??= this.#wire.used ? usedStream() : this.#wire.stream();
    return this.#stream;
  }

  get bodyUsed(): boolean {
    if (!this.#hasBody) return false;
    return this.#stream === undefined ? this.#wire.used : Readable.isDisturbed(this.#stream as never);
  }

  text(): Promise<string> {
    if (!this.#hasBody) return Promise.resolve("");
    return this.#stream === undefined ? this.#wire.text() : this.#streamedText();
  }

  json(): Promise<unknown> {
    return this.text().then((text) => JSON.parse(text));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#hasBody) return new Uint8Array();
    return this.#stream === undefined ? this.#wire.bytes() : this.#collected();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  // Both depend on the content type, by rules that the real class implements.
  async blob(): Promise<Blob> {
    return (await this.#buffered()).blob();
  }

  async formData(): Promise<FormData> {
    return (await this.#buffered()).formData();
  }

  clone(): Response {
    if (this.bodyUsed || this.#stream?.locked) throw new TypeError("Response.clone: Body has already been consumed.");
    // A copy is mostly collected beside the other one: an event stream that is to be read as one is not copied.
    if (this.#hasBody && this.#stream === undefined) this.#stream = this.#wire.used ? usedStream() : this.#wire.stream("collect");
    const stream = this.body;
    const parts = { body: this.#wire, url: this.#url, hasBody: this.#hasBody, redirected: this.#redirected, collects: this.#collects };
    if (stream === null) return new LazyResponse(this.#message, parts) as unknown as Response;
    const [mine, theirs] = stream.tee();
    this.#stream = mine as ReadableStream<Uint8Array<ArrayBuffer>>;
    const copy = new LazyResponse(this.#message, parts);
    copy.#stream = theirs as ReadableStream<Uint8Array<ArrayBuffer>>;
    copy.#headers = new Headers(this.headers);
    return copy as unknown as Response;
  }

  [inspect.custom](_depth: number, options: object): string {
    const { status, statusText, ok, url, bodyUsed } = this;
    return `Response ${inspect({ status, statusText, ok, url, bodyUsed, headers: Object.fromEntries(this.headers) }, options)}`;
  }

  // Async: a stream that has been read throws here, where the reader has to reject.
  async #streamedText(): Promise<string> {
    return new TextDecoder().decode(await this.#collected());
  }

  async #buffered(): Promise<Response> {
    return new Response(this.#hasBody ? await this.bytes() : null, { headers: this.headers });
  }

  /** Reads the stream whole. */
  async #collected(): Promise<Uint8Array<ArrayBuffer>> {
    // Made of a stream that is in use or was read, a `Response` throws the standard's error.
    const reader = (new Response(this.#stream).body as ReadableStream<Uint8Array>).getReader();
    const chunks: Uint8Array[] = [];
    let bytesLeft = this.#collects?.maxBytes ?? Number.POSITIVE_INFINITY;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytesLeft -= read.value.byteLength;
      chunks.push(read.value);
      if (bytesLeft >= 0) continue;
      const { service, maxBytes } = this.#collects as CollectLimit;
      const error = tooLargeToCollect(service, maxBytes);
      reader.cancel(error).catch(() => {});
      throw error;
    }
    return bytesOf(chunks);
  }
}

/**
 * Makes all responses inherit from `Response.prototype`, for `instanceof` and for members that other code adds to it. Returns that prototype.
 */
function inheritFromResponse(): Response {
  Object.setPrototypeOf(LazyResponse.prototype, Response.prototype);
  return Response.prototype;
}

/**
 * Stands in for `Response.prototype` until one of its members is used: the global `Response` loads Node's own undici, which takes a tenth of
 * the time from the start of a process to its first answered call.
 */
const responsePrototype = new Proxy<object>(
  {},
  {
    getPrototypeOf: inheritFromResponse,
    has: (_target, key) => Reflect.has(inheritFromResponse(), key),
    // Resolving a promise with a response looks for `then`, which must not load anything.
    get: (_target, key, receiver) => (key === "then" ? undefined : Reflect.get(inheritFromResponse(), key, receiver)),
    set: (_target, key, value, receiver) => Reflect.set(inheritFromResponse(), key, value, receiver),
  },
);
Object.setPrototypeOf(LazyResponse.prototype, responsePrototype);
// Libraries copy a response by `new response.constructor(body, init)`.
Object.defineProperty(LazyResponse.prototype, "constructor", { get: () => Response, configurable: true });

/** Cancels the bodies of responses that were garbage-collected unread: otherwise their connections would be taken until the deadline. */
const unread = new FinalizationRegistry<ResponseBody>((body) => {
  if (!body.used) body.cancel();
});

/** How much of a stream is collected, and the service whose response it is. */
export interface CollectLimit {
  readonly maxBytes: number;
  readonly service: string;
}

/** The parts of a `Response` beside the message. */
export interface ResponseParts {
  /** The limit of what is collected of a stream; `undefined` = none. The body itself keeps the limit of its own readers. */
  readonly collects?: CollectLimit | undefined;
  /** The body of the message, decoded. */
  readonly body: ResponseBody;
  readonly url: string;
  /** Whether the method of the request allows a body. */
  readonly hasBody: boolean;
  readonly redirected: boolean;
}

/** Makes the `Response` of a message. */
export function toResponse(message: MeshResponse, parts: ResponseParts): Response {
  const isReadable = parts.hasBody && !nullBodyStatuses.has(message.status);
  // The body of a status that has none, such as 205, cannot be read by the caller.
  if (!isReadable && !message.body.complete) message.body.discard();
  const response = new LazyResponse(message, parts.hasBody === isReadable ? parts : { ...parts, hasBody: isReadable });
  if (isReadable && !message.body.complete) unread.register(response, message.body);
  return response as unknown as Response;
}

/** The stream of `body` after the body was read by another reader: present, locked and disturbed. */
function usedStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source: UnderlyingByteSource = { type: "bytes", start: (controller) => controller.close() };
  const stream = new ReadableStream(source);
  stream
    .getReader()
    .read()
    .catch(() => {});
  return stream as ReadableStream<Uint8Array<ArrayBuffer>>;
}

function headersFrom(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < lines.length; index += 2) headers.append(lines[index] as string, lines[index + 1] as string);
  return headers;
}
