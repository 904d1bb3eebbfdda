import type { MeshResponse } from "../core/dispatch.ts";
import type { ResponseBody } from "../core/http/body.ts";

/** The result of `mesh.request`: the response as it came, without the cost and the conveniences of a `Response`. */
export interface Reply {
  readonly statusCode: number;
  readonly statusText: string;
  /** By lower-case name; a header that came more than once is an array. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: ReplyBody;
  /** The trailers by lower-case name, once the body has ended. */
  readonly trailers: Readonly<Record<string, string | readonly string[]>>;
}

/** The body of a {@link Reply}. It occupies its connection until it is read, discarded or cancelled. */
export interface ReplyBody {
  /** The whole body, parsed as JSON. Rejects with a SyntaxError for any other text. */
  json(): Promise<unknown>;
  /** The whole body, decoded as UTF-8. */
  text(): Promise<string>;
  /** The whole body. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** A byte stream with backpressure down to the socket. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Reads and drops up to `maxBytes`, so that the connection can be used again; closes the connection when there is more. */
  discard(maxBytes?: number): void;
  /** Stops reading and closes the connection. */
  cancel(reason?: unknown): void;
}

/** Makes the reply of a message. */
export function toReply(message: MeshResponse): Reply {
  return new MessageReply(message);
}

class MessageReply implements Reply, ReplyBody {
  readonly #message: MeshResponse;
  readonly #wire: ResponseBody;
  #headers: Record<string, string | string[]> | undefined = undefined;

  constructor(message: MeshResponse) {
    this.#message = message;
    this.#wire = message.body;
  }

  get statusCode(): number {
    return this.#message.status;
  }

  get statusText(): string {
    return this.#message.statusText;
  }

  get headers(): Readonly<Record<string, string | readonly string[]>> {
    this.#headers ??= byName(this.#message.headers);
    return this.#headers;
  }

  get trailers(): Readonly<Record<string, string | readonly string[]>> {
    return byName(this.#wire.trailers);
  }

  get body(): ReplyBody {
    return this;
  }

  json(): Promise<unknown> {
    return this.#wire.text().then(parseJson);
  }

  text(): Promise<string> {
    return this.#wire.text();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#wire.bytes();
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#wire.stream();
  }

  discard(maxBytes?: number): void {
    this.#wire.discard(maxBytes);
  }

  cancel(reason?: unknown): void {
    this.#wire.cancel(reason);
  }
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** Groups names and values in turn by name; a name with several values has an array. */
export function byName(lines: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    const value = lines[index + 1] as string;
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else headers[name] = [known, value];
  }
  return headers;
}
