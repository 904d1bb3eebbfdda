import type { MeshSnapshot } from "../snapshot.ts";
import { isAsking, request } from "./api.ts";

const againMs = 1_000;
/** The server sends each second: when nothing has come for so long it hangs, or the way there does. */
const silentMs = 4_000;

/** What a {@link Feed} tells. */
export interface FeedListener {
  onSnapshot(snapshot: MeshSnapshot): void;
  /** `why` is for people. */
  onLost(why: string): void;
}

/**
 * The events of the server, one a second, over as many connections as it takes. Not an `EventSource`: that one can send no token, and
 * gives up for good where it should come again.
 */
export class Feed {
  readonly #listener: FeedListener;
  #connection: AbortController | undefined = undefined;
  #again: number | undefined = undefined;

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  /** Begins, or begins anew. */
  start(): void {
    this.stop();
    const connection = new AbortController();
    this.#connection = connection;
    void this.#read(connection);
  }

  /** Ends until {@link start}. */
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
        // What lies behind when the page was busy is old: the last one is enough.
        const data = /^data: (.*)$/m.exec(events.findLast((event) => event.includes("\ndata: ")) ?? "")?.[1];
        if (data !== undefined && this.#connection === connection) this.#listener.onSnapshot(JSON.parse(data) as MeshSnapshot);
      }
    } catch (error) {
      why = error instanceof Error && error.message.startsWith("The process") ? error.message : "The process does not answer.";
    }
    clearTimeout(silence);
    // Stopped, or begun anew: nobody waits for this one.
    if (this.#connection !== connection) return;
    connection.abort();
    this.#listener.onLost(why);
    this.#again = window.setTimeout(() => this.start(), againMs);
  }
}
