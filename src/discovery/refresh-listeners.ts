/** The running watches of an adapter that want to know of a hint about their service, see `Discovery.refresh`. */
export class RefreshListeners {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Calls `listener` for each hint about `service`. Returns a function that ends that. */
  add(service: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(service) === listeners) this.#listeners.delete(service);
    };
  }

  /** Hands a hint on. */
  notify(service: string): void {
    for (const listener of [...(this.#listeners.get(service) ?? [])]) listener();
  }
}
