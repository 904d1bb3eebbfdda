import { Readable } from "node:stream";
import type { UnderlyingByteSource } from "node:stream/web";
import { inspect } from "node:util";
import type { MeshResponse } from "../core/dispatch.ts";
import type { ResponseBody } from "../core/http/body.ts";

const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * A standard `Response` over a body that is still on the wire.
 *
 * It is `instanceof Response` and has every member of one. It is not made by the constructor, which costs 10 µs and sets up a stream that most
 * callers never use. Members that need a real `Response` (`clone`, `formData`, `blob`, a body as a stream) make one when they are called.
 */
class LazyResponse {
  readonly #message: MeshResponse;
  readonly #wire: ResponseBody;
  readonly #url: string;
  readonly #hasBody: boolean;
  readonly #redirected: boolean;
  #headers: Headers | undefined = undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined = undefined;

  constructor(message: MeshResponse, { body, url, hasBody, redirected }: ResponseParts) {
    this.#message = message;
    this.#wire = body;
    this.#url = url;
    this.#hasBody = hasBody;
    this.#redirected = redirected;
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

  /** The trailers, once the body has ended. Not in the standard. */
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
    return this.text().then(parseJson);
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#hasBody) return new Uint8Array();
    return this.#stream === undefined ? this.#wire.bytes() : new Uint8Array(await this.#real().arrayBuffer());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  // Both depend on the content type in ways that the standard's own class implements.
  async blob(): Promise<Blob> {
    return (await this.#buffered()).blob();
  }

  async formData(): Promise<FormData> {
    return (await this.#buffered()).formData();
  }

  clone(): Response {
    if (this.bodyUsed || this.#stream?.locked) throw new TypeError("Response.clone: Body has already been consumed.");
    const stream = this.body;
    const parts = { body: this.#wire, url: this.#url, hasBody: this.#hasBody, redirected: this.#redirected };
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

  // Async, because a stream that has been read throws here, and the promise of the caller has to reject.
  async #streamedText(): Promise<string> {
    return this.#real().text();
  }

  async #buffered(): Promise<Response> {
    return new Response(this.#hasBody ? await this.bytes() : null, { headers: this.headers });
  }

  #real(): Response {
    return new Response(this.#stream as ReadableStream);
  }
}

/**
 * Makes every response inherit from `Response.prototype`, which `instanceof` and members added by other code rely on. Returns that prototype.
 */
function inheritFromResponse(): Response {
  Object.setPrototypeOf(LazyResponse.prototype, Response.prototype);
  return Response.prototype;
}

/**
 * A placeholder for `Response.prototype` until a member of it, or `instanceof`, is asked for. The global `Response` loads Node's own undici,
 * which is a tenth of the CPU of a process up to its first answered call.
 */
const responsePrototype = new Proxy<object>(
  {},
  {
    getPrototypeOf: inheritFromResponse,
    has: (_target, key) => Reflect.has(inheritFromResponse(), key),
    // A promise that is resolved with a response asks for `then`.
    get: (_target, key, receiver) => (key === "then" ? undefined : Reflect.get(inheritFromResponse(), key, receiver)),
    set: (_target, key, value, receiver) => Reflect.set(inheritFromResponse(), key, value, receiver),
  },
);
Object.setPrototypeOf(LazyResponse.prototype, responsePrototype);
// Libraries copy a response by `new response.constructor(body, init)`.
Object.defineProperty(LazyResponse.prototype, "constructor", { get: () => Response, configurable: true });

/** Cancels bodies whose response has been collected: they will not be read, and would occupy their connection until the deadline. */
const unread = new FinalizationRegistry<ResponseBody>((body) => {
  if (!body.used) body.cancel();
});

/** The parts of a `Response` that are not in the message. */
export interface ResponseParts {
  /** The message's body, decoded. */
  readonly body: ResponseBody;
  readonly url: string;
  /** The method of the request allows a body. */
  readonly hasBody: boolean;
  readonly redirected: boolean;
}

/** Makes the `Response` of a message. */
export function toResponse(message: MeshResponse, parts: ResponseParts): Response {
  const isReadable = parts.hasBody && !nullBodyStatuses.has(message.status);
  // A body that a 205 has against the standard cannot be read.
  if (!isReadable && !message.body.complete) message.body.discard();
  const response = new LazyResponse(message, parts.hasBody === isReadable ? parts : { ...parts, hasBody: isReadable });
  if (isReadable && !message.body.complete) unread.register(response, message.body);
  return response as unknown as Response;
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** The value of `body` after another reader has read it: a stream that is locked and disturbed. */
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
