import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { Discovery } from "../discovery.ts";
import { Wakeup } from "../wakeup.ts";
import { allFailed } from "./combined.ts";
import { Source, type SourceErrorListener } from "./source.ts";

/** Which of its two sources a `fallback` listens to. */
export type FallbackChoice = "primary" | "secondary";

/** What a {@link FallbackPair} needs. */
export interface FallbackPairOptions {
  readonly primary: Discovery;
  readonly secondary: Discovery;
  readonly service: string;
  readonly switchAfterMs: number;
  readonly shouldSwitchOnEmpty: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: SourceErrorListener | undefined;
  readonly onSwitch: ((service: string, to: FallbackChoice) => void) | undefined;
}

/** The two sources of one service, and which of them counts. The secondary is watched only while it is used. */
export class FallbackPair {
  /** Woken whenever {@link choose} may choose anew. */
  readonly changes: Wakeup = new Wakeup();
  readonly #options: FallbackPairOptions;
  readonly #primary: Source;
  #substitute: Source | undefined = undefined;
  #stopping: Promise<unknown> = Promise.resolve();
  /** Runs while the primary owes an answer. */
  #timer: Timer | undefined = undefined;
  #isOverdue = false;

  constructor(options: FallbackPairOptions) {
    this.#options = options;
    this.#primary = this.#source(options.primary);
    this.#expectAnswer();
  }

  /** The source whose endpoints count now; it may have none yet. Throws when both fail. */
  choose(): Source {
    const primary = this.#primary;
    const isGood = primary.endpoints !== undefined && !primary.isFailing;
    const isUnwanted = isGood && primary.endpoints.length === 0 && this.#options.shouldSwitchOnEmpty;
    if (isGood) this.#forgive();
    else if (primary.endpoints === undefined && primary.isFailing) this.#isOverdue = true;
    // An error after a good answer: its last set is good enough for the time that a short disturbance takes.
    else this.#expectAnswer();

    if (isGood && !isUnwanted) {
      this.#leaveSubstitute();
      return primary;
    }
    if (!isUnwanted && !this.#isOverdue) return primary;
    const substitute = this.#useSubstitute();
    if (isUnwanted) {
      // Where the secondary has nothing either, empty is the answer and not an error.
      const hasNothing = substitute.endpoints === undefined ? substitute.isFailing : substitute.endpoints.length === 0;
      return hasNothing ? primary : substitute;
    }
    if (primary.isFailing && substitute.isFailing) throw allFailed(this.#options.service, [primary, substitute]);
    return substitute;
  }

  /** Resolves when both adapters have let go. */
  async stop(): Promise<void> {
    this.#forgive();
    await Promise.all([this.#primary.stop(), this.#substitute?.stop(), this.#stopping]);
  }

  #source(discovery: Discovery): Source {
    const { service, clock, random, onError } = this.#options;
    // `trust`: emptiness is judged once, by the mesh's own watcher.
    return new Source({ discovery, service, clock, random, emptyPolicy: "trust", onError, changes: this.changes });
  }

  #useSubstitute(): Source {
    if (this.#substitute) return this.#substitute;
    const { secondary, service, onSwitch } = this.#options;
    this.#substitute = this.#source(secondary);
    onSwitch?.(service, "secondary");
    return this.#substitute;
  }

  #leaveSubstitute(): void {
    if (this.#substitute === undefined) return;
    const { service, onSwitch } = this.#options;
    this.#stopping = Promise.all([this.#stopping, this.#substitute.stop()]);
    this.#substitute = undefined;
    onSwitch?.(service, "primary");
  }

  #expectAnswer(): void {
    if (this.#isOverdue || this.#timer !== undefined) return;
    const { clock, switchAfterMs } = this.#options;
    this.#timer = clock.setTimer(
      () => {
        this.#isOverdue = true;
        this.changes.wake();
      },
      switchAfterMs,
      false,
    );
  }

  #forgive(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#isOverdue = false;
  }
}
