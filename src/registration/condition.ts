/** A condition that callers wait for, and that is looked at after each change. */
export class Condition {
  readonly #isMet: () => boolean;
  readonly #looks = new Set<() => void>();

  constructor(isMet: () => boolean) {
    this.#isMet = isMet;
  }

  /** To be called after each change. */
  changed(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Resolves once it is met; rejects with the reason of `signal`. Leaves no listener. */
  async when(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isMet()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#looks.delete(look);
        signal?.removeEventListener("abort", onAbort);
      };
      const look = (): void => {
        if (!this.#isMet()) return;
        end();
        resolve();
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason);
      };
      this.#looks.add(look);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
