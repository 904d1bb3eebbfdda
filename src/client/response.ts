import { Readable } from "node:stream";
import type { UnderlyingByteSource } from "node:stream/web";
import { inspect } from "node:util";
import type { ResponseBody } from "../core/body.ts";
import type { MeshResponse } from "../core/dispatch.ts";

const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * A standard `Response` over a body that is still on the wire.
 *
 * It is `instanceof Response` and has every member of one, but was not made by its constructor, which costs 10 µs and
 * sets up a stream that most callers never ask for. What needs a real one inside (`clone`, `formData`, `blob`, a body
 * that was asked for as a stream) makes it then.
 */
class LazyResponse {
  readonly #message: MeshResponse;
  readonly #url: string;
  readonly #hasBody: boolean;
  #headers: Headers | undefined = undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined = undefined;

  constructor(message: MeshResponse, url: string, hasBody: boolean) {
    this.#message = message;
    this.#url = url;
    this.#hasBody = hasBody;
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

  get type(): "default" {
    return "default";
  }

  get redirected(): boolean {
    return false;
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      const { headers } = this.#message;
      for (let index = 0; index < headers.length; index += 2) this.#headers.append(headers[index] as string, headers[index + 1] as string);
    }
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

  async text(): Promise<string> {
    if (!this.#hasBody) return "";
    return this.#stream === undefined ? this.#wire.text() : this.#real().text();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#hasBody) return new Uint8Array();
    return this.#stream === undefined ? this.#wire.bytes() : new Uint8Array(await this.#real().arrayBuffer());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  // Both depend on the content type in ways that the standard's own class knows best.
  async blob(): Promise<Blob> {
    return (await this.#buffered()).blob();
  }

  async formData(): Promise<FormData> {
    return (await this.#buffered()).formData();
  }

  clone(): Response {
    if (this.bodyUsed || this.#stream?.locked) throw new TypeError("Response.clone: Body has already been consumed.");
    const stream = this.body;
    if (stream === null) return new LazyResponse(this.#message, this.#url, false) as unknown as Response;
    const [mine, theirs] = stream.tee();
    this.#stream = mine as ReadableStream<Uint8Array<ArrayBuffer>>;
    const copy = new LazyResponse(this.#message, this.#url, true);
    copy.#stream = theirs as ReadableStream<Uint8Array<ArrayBuffer>>;
    copy.#headers = new Headers(this.headers);
    return copy as unknown as Response;
  }

  [inspect.custom](_depth: number, options: object): string {
    const { status, statusText, ok, url, bodyUsed } = this;
    return `Response ${inspect({ status, statusText, ok, url, bodyUsed, headers: Object.fromEntries(this.headers) }, options)}`;
  }

  get #wire(): ResponseBody {
    return this.#message.body;
  }

  async #buffered(): Promise<Response> {
    return new Response(this.#hasBody ? await this.bytes() : null, { headers: this.headers });
  }

  #real(): Response {
    return new Response(this.#stream as ReadableStream);
  }
}

// Own members first, then what any other code adds to Response.prototype; `instanceof Response` holds.
Object.setPrototypeOf(LazyResponse.prototype, Response.prototype);

/** The `Response` of a message. `hasBody`: the request's method allows one. */
export function toResponse(message: MeshResponse, url: string, hasBody: boolean): Response {
  const isReadable = hasBody && !nullBodyStatuses.has(message.status);
  // Nobody can read what a 205 brings in spite of the standard.
  if (!isReadable && !message.body.complete) message.body.discard();
  return new LazyResponse(message, url, isReadable) as unknown as Response;
}

/** What `body` is after the body was read by another reader: present, locked and disturbed. */
function usedStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source: UnderlyingByteSource = { type: "bytes", start: (controller) => controller.close() };
  const stream = new ReadableStream(source);
  stream
    .getReader()
    .read()
    .catch(() => {});
  return stream as ReadableStream<Uint8Array<ArrayBuffer>>;
}
