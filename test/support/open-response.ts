import type { MeshResponse } from "../../src/core/dispatch.ts";
import type { CloseListener, ContentVerdict, ResponseBody } from "../../src/core/http/body.ts";

/** A body that a test ends by hand. */
export class OpenBody implements ResponseBody {
  readonly trailers: readonly string[] = [];
  used = false;
  content: ContentVerdict | undefined = undefined;
  waitedMs = 0;
  discards = 0;
  cancelledWith: unknown = undefined;
  #isClosed = false;
  #error: unknown = undefined;
  readonly #listeners: CloseListener[] = [];

  get complete(): boolean {
    return this.#isClosed && this.#error === undefined;
  }

  onClose(listener: CloseListener): void {
    if (this.#isClosed) listener(this.#error);
    else this.#listeners.push(listener);
  }

  close(error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    for (const listener of this.#listeners) listener(error);
  }

  discard(): void {
    this.used = true;
    this.discards++;
    this.close();
  }

  cancel(reason?: unknown): void {
    this.cancelledWith = reason;
    this.close(reason);
  }

  text(): Promise<string> {
    throw new Error("not read in these tests");
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    throw new Error("not read in these tests");
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    throw new Error("not read in these tests");
  }
}

export interface OpenResponse extends MeshResponse {
  readonly body: OpenBody;
}

/** A response whose body is still to come. */
export function openResponse(status = 200, headers: Readonly<Record<string, string>> = {}): OpenResponse {
  return { status, statusText: "", headers: Object.entries(headers).flat(), body: new OpenBody(), upstream: undefined };
}
