import type { ServerResponse } from "node:http";

const everyMs = 1_000;
const maxStreams = 32;
/** Bytes that a reader may be behind; beyond it, the reader would only get outdated events. */
const maxBehind = 1_048_576;

/** Sends the same event to all streams each second (server-sent events). Without a stream there is no timer. */
export class EventStreams {
  readonly #make: () => unknown;
  readonly #streams = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #id = 0;

  /** `make` returns the data of an event; it is called once per second for all streams. */
  constructor(make: () => unknown) {
    this.#make = make;
  }

  /** Number of open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** Begins a stream with an event at once; `false` when too many are open. */
  open(response: ServerResponse): boolean {
    if (this.#streams.size >= maxStreams) return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.socket?.setNoDelay(true);
    this.#streams.add(response);
    response.on("close", () => this.#leave(response));
    // The pause of a reader before it reconnects.
    response.write(`retry: 1000\n\n${this.#event()}`);
    this.#timer ??= setInterval(this.#send, everyMs).unref();
    return true;
  }

  /** Ends all streams. */
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
      // Events that a reader does not read are buffered here, more each second.
      if (response.writableLength > maxBehind) response.destroy();
      else response.write(event);
    }
  };

  #event(): string {
    return `event: mesh\nid: ${++this.#id}\ndata: ${JSON.stringify(this.#make())}\n\n`;
  }
}
