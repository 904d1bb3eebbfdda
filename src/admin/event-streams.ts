import type { ServerResponse } from "node:http";

const everyMs = 1_000;
const maxStreams = 32;
/** Bytes that a reader may be behind: it would get old news. */
const maxBehind = 1_048_576;

/** Sends everybody who listens the same event each second (server-sent events). Does nothing while nobody listens. */
export class EventStreams {
  readonly #make: () => unknown;
  readonly #streams = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #id = 0;

  /** `make`: what is sent, made once for all. */
  constructor(make: () => unknown) {
    this.#make = make;
  }

  /** How many listen. */
  get size(): number {
    return this.#streams.size;
  }

  /** Begins a stream with the event of now; `false` when there are too many already. */
  open(response: ServerResponse): boolean {
    if (this.#streams.size >= maxStreams) return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.socket?.setNoDelay(true);
    this.#streams.add(response);
    response.on("close", () => this.#leave(response));
    // How long a reader waits before it comes again.
    response.write(`retry: 1000\n\n${this.#event()}`);
    this.#timer ??= setInterval(this.#send, everyMs).unref();
    return true;
  }

  /** Ends all. */
  close(): void {
    for (const response of this.#streams) response.destroy();
    this.#streams.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #leave(response: ServerResponse): void {
    this.#streams.delete(response);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #send = (): void => {
    const event = this.#event();
    for (const response of this.#streams) {
      // What somebody does not read would be kept for him here, more of it each second.
      if (response.writableLength > maxBehind) response.destroy();
      else response.write(event);
    }
  };

  #event(): string {
    return `event: mesh\nid: ${++this.#id}\ndata: ${JSON.stringify(this.#make())}\n\n`;
  }
}
