import type { MeshSnapshot } from "../snapshot.ts";
import { isAsking, request } from "./api.ts";

const againMs = 1_000;
/** The server sends an event each second. After so long without one, the server or the network hangs. */
const silentMs = 4_000;

/** The receiver of a {@link Feed}. */
export interface FeedListener {
  onSnapshot(snapshot: MeshSnapshot): void;
  /** The connection was lost. `why` is a sentence for the page. */
  onLost(why: string): void;
}

/**
 * The events of the server, one per second; reconnects after a loss. It is no `EventSource`, which cannot send a token and stops for good
 * at some errors.
 */
export class Feed {
  readonly #listener: FeedListener;
  #connection: AbortController | undefined = undefined;
  #again: number | undefined = undefined;

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  /** Connects, or connects anew. */
  start(): void {
    this.stop();
    const connection = new AbortController();
    this.#connection = connection;
    void this.#read(connection);
  }

  /** Disconnects until {@link start}. */
  stop(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    clearTimeout(this.#again);
  }

  async #read(connection: AbortController): Promise<void> {
    let silence: number | undefined;
    const awaitNext = () => {
      clearTimeout(silence);
      silence = window.setTimeout(() => (isAsking() ? awaitNext() : connection.abort()), silentMs);
    };
    let why = "The process has closed the connection.";
    try {
      awaitNext();
      const response = await request("api/events", { signal: connection.signal });
      if (!response.ok || response.body === null) throw new Error(`The process answered ${response.status}.`);
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        awaitNext();
        text += decoder.decode(value, { stream: true });
        const events = text.split("\n\n");
        text = events.pop() ?? "";
        // Events that piled up while the page was busy are outdated: the last one is enough.
        const data = /^data: (.*)$/m.exec(events.findLast((event) => event.includes("\ndata: ")) ?? "")?.[1];
        if (data !== undefined && this.#connection === connection) this.#listener.onSnapshot(JSON.parse(data) as MeshSnapshot);
      }
    } catch (error) {
      why = error instanceof Error && error.message.startsWith("The process") ? error.message : "The process does not answer.";
    }
    clearTimeout(silence);
    // Stopped, or replaced by another connection.
    if (this.#connection !== connection) return;
    connection.abort();
    this.#listener.onLost(why);
    this.#again = window.setTimeout(() => this.start(), againMs);
  }
}
