import type { Mesh } from "../../index.ts";

const getsPerSecond = 80;
const postsPerSecond = 8;

/** The demo's steady load: calls of the service `shop`. */
export class Load {
  readonly #mesh: Mesh;
  readonly #calls = new Set<Promise<unknown>>();
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
  }

  /** `80 GET/s and 8 POST/s to "shop"`. */
  describe(): string {
    return `${getsPerSecond} GET/s and ${postsPerSecond} POST/s to "shop"`;
  }

  /** Starts calling. */
  start(): void {
    this.stop();
    this.#timers = [
      setInterval(() => this.#call("GET"), 1_000 / getsPerSecond),
      setInterval(() => this.#call("POST"), 1_000 / postsPerSecond),
    ];
  }

  /** Stops making new calls. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** Resolves when every call has ended, with or without an error. */
  async settled(): Promise<void> {
    await Promise.all(this.#calls);
  }

  #call(method: "GET" | "POST"): void {
    const done = this.#mesh
      .fetch(`shop/${method === "GET" ? "items" : "orders"}`, { method, ...(method === "POST" ? { body: "1 apple" } : undefined) })
      .then((response) => response.text())
      .catch(() => {})
      .finally(() => this.#calls.delete(done));
    this.#calls.add(done);
  }
}
