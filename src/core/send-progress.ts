/** Bytes that the sockets of both ends may hold when all has been handed over: the instance has yet to read them. */
const heldBytes = 8 * 2 ** 20;

/** How far the body of one attempt has gone out. The transport writes it; the limit of the attempt and its books read it. */
export class SendProgress {
  /** When the last part was handed to the connection, in milliseconds of `Clock.now()`; `undefined` before the first one. */
  at: number | undefined = undefined;
  /** Whether the whole request was handed over: from then on the time is the instance's. */
  isOut = false;
  #startedAt = 0;
  #bytes = 0;
  /** Time for which the caller's own source was waited for. */
  #sourceMs = 0;
  #sourceSince: number | undefined = undefined;

  /** Whether the next part has to come from the caller's own source: its time is not the instance's. */
  get awaitsSource(): boolean {
    return this.#sourceSince !== undefined;
  }

  /** The caller's own source is asked for the next part, or has given it. */
  source(isAsked: boolean, now: number): void {
    if (this.#sourceSince !== undefined && this.at !== undefined) this.#sourceMs += now - this.#sourceSince;
    this.#sourceSince = isAsked ? now : undefined;
  }

  /** A part of so many bytes was handed over at `now`. */
  advance(bytes: number, now: number): void {
    if (this.at === undefined) this.#startedAt = now;
    this.at = now;
    this.#bytes += bytes;
  }

  /** All was handed over at `now`. */
  end(now: number): void {
    this.at ??= now;
    this.isOut = true;
  }

  /**
   * When the instance has the last part at the latest, in milliseconds of `Clock.now()`: what its socket still holds is read as slowly as what
   * went before; `undefined` before the first part.
   */
  get arrivedAt(): number | undefined {
    if (this.at === undefined || !this.isOut || this.#bytes === 0) return this.at;
    const sendMs = this.at - this.#startedAt - this.#sourceMs;
    return this.at + Math.max(0, sendMs) * Math.min(1, heldBytes / this.#bytes);
  }
}
