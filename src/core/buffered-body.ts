import type { UnderlyingByteSource } from "node:stream/web";
import type { MeshResponse } from "./dispatch.ts";
import type { CloseListener, ResponseBody } from "./http/body.ts";
import { tellClosed } from "./observing/fence.ts";

const encoder = new TextEncoder();

/** A response body in memory, complete from the start: for interceptors that answer by themselves, and for mocks. */
export class BufferedBody implements ResponseBody {
  readonly complete = true;
  readonly trailers: readonly string[] = [];
  used = false;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(content: string | Uint8Array = "") {
    this.#bytes = typeof content === "string" ? encoder.encode(content) : new Uint8Array(content);
  }

  onClose(listener: CloseListener): void {
    tellClosed(listener, undefined);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#take());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#take();
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const bytes = this.#take();
    const source: UnderlyingByteSource = {
      type: "bytes",
      start(controller) {
        if (bytes.byteLength > 0) controller.enqueue(bytes);
        controller.close();
      },
    };
    return new ReadableStream(source) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  discard(): void {
    this.used = true;
  }

  cancel(): void {
    this.used = true;
  }

  #take(): Uint8Array<ArrayBuffer> {
    if (this.used) throw new TypeError("Body is unusable: Body has already been read");
    this.used = true;
    return this.#bytes;
  }
}

/** A response made in this process: text or bytes, and headers by name (sent in lower case). */
export function localResponse(
  status: number,
  content: string | Uint8Array = "",
  headers: Readonly<Record<string, string>> = {},
): MeshResponse {
  return {
    status,
    statusText: "",
    headers: Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), value]),
    body: new BufferedBody(content),
    upstream: undefined,
  };
}
