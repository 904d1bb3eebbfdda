/** Wakes everything that waits for a change. Who waits looks at the state before and after, so nothing is handed over. */
export class Wakeup {
  #waiters = new Set<() => void>();

  /** How many wait now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Ends every wait there is now. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const resolve of waiters) resolve();
  }

  /** Resolves at the next wake, or when `signal` aborts. Leaves no listener and keeps no process alive. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const end = () => {
        signal.removeEventListener("abort", end);
        this.#waiters.delete(end);
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
      this.#waiters.add(end);
    });
  }
}
