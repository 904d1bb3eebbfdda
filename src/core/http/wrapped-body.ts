import type { CloseListener, ContentVerdict, ResponseBody } from "./body.ts";

/** A response body around another one: it has readers of its own, and shares all else with that one. */
export abstract class WrappedBody implements ResponseBody {
  protected readonly inner: ResponseBody;

  constructor(inner: ResponseBody) {
    this.inner = inner;
  }

  /** The body that all of them are around. */
  get innermost(): ResponseBody {
    return this.inner instanceof WrappedBody ? this.inner.innermost : this.inner;
  }

  get used(): boolean {
    return this.inner.used;
  }

  get complete(): boolean {
    return this.inner.complete;
  }

  get trailers(): readonly string[] {
    return this.inner.trailers;
  }

  get content(): ContentVerdict | undefined {
    return this.inner.content;
  }

  set content(content: ContentVerdict | undefined) {
    this.inner.content = content;
  }

  onClose(listener: CloseListener): void {
    this.inner.onClose(listener);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  abstract bytes(): Promise<Uint8Array<ArrayBuffer>>;

  abstract stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>>;

  discard(maxBytes?: number): void {
    this.inner.discard(maxBytes);
  }

  cancel(reason?: unknown): void {
    this.inner.cancel(reason);
  }
}
