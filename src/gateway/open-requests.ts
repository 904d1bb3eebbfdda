/** The requests that are under way by one configuration of a gateway. */
export class OpenRequests {
  #open = 0;
  #whenNone: (() => void) | undefined = undefined;

  begin(): void {
    this.#open++;
  }

  end(): void {
    this.#open--;
    if (this.#open === 0) this.#whenNone?.();
  }

  /** Resolves once none is open. No more may begin. */
  async ended(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#whenNone = resolve));
  }
}
