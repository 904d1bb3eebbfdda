/** So many failures that could have been repeated, without one retry, show that there are no retries at present. */
const mostUnrepeated = 4;

/** Whether calls are repeated after failures, seen from the picks: retries may be off, or their budget used up. */
export class RetriesSeen {
  #unrepeated = 0;

  /** Whether a failure that can be repeated is taken to cost no call. */
  get areOn(): boolean {
    return this.#unrepeated < mostUnrepeated;
  }

  /** An attempt has failed that can be repeated. */
  fail(): void {
    this.#unrepeated++;
  }

  /** A pick is one for a retry. */
  retry(): void {
    this.#unrepeated = 0;
  }
}
