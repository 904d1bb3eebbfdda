/** Wakes everything that waits for a change. It hands nothing over: waiters look at the state before they wait and after. */
export class Notifier {
  #waiters = new Set<() => void>();

  /** The number of waiters. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Ends every wait that has begun. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const resolve of waiters) resolve();
  }

  /** Resolves at the next {@link notify}, or when `signal` aborts. Leaves no listener and keeps no process alive. */
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
