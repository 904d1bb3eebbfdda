import type { MeshResponse } from "../core/dispatch.ts";
import type { ResponseBody } from "../core/http/body.ts";

/** The result of `mesh.request`: the response as it came over the wire, without the cost and the conveniences of a `Response`. */
export interface Reply {
  readonly statusCode: number;
  readonly statusText: string;
  /** The headers by name in lower case; a repeated header is an array. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: ReplyBody;
  /** The trailers by name in lower case; empty until the body has closed. */
  readonly trailers: Readonly<Record<string, string | readonly string[]>>;
}

/** The body of a {@link Reply}. Read it, `discard` it or `cancel` it: until then it holds its connection. */
export interface ReplyBody {
  /** Reads the whole body as JSON. Rejects with a `SyntaxError` for other text. */
  json(): Promise<unknown>;
  /** Reads the whole body, decoded as UTF-8. */
  text(): Promise<string>;
  /** Reads the whole body. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads the body as a byte stream, with backpressure down to the socket. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Reads up to `maxBytes` bytes and drops them, so that the connection can be used again; closes the connection where the body is longer.
   */
  discard(maxBytes?: number): void;
  /** Gives up the body and closes its connection. */
  cancel(reason?: unknown): void;
}

/** Makes the reply of a response. Its headers are read when they are first asked for. */
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
    return this.#wire.text().then((text) => JSON.parse(text));
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

/** Headers by name, from names and values in turn. */
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
