import type { Clock, Random, Timer } from "../../core/clock.ts";
import { fenced } from "../../core/observing/fence.ts";
import type { Discovery, UsePace } from "../discovery.ts";
import { Notifier } from "../notifier.ts";
import { allFailed } from "./sources.ts";
import { type SourceErrorListener, WatchedSource } from "./watched-source.ts";

/** Which of its two sources a `fallback` uses. */
export type FallbackChoice = "primary" | "secondary";

/** Options of a {@link FallbackPair}. */
export interface FallbackPairOptions {
  readonly primary: Discovery;
  readonly secondary: Discovery;
  readonly service: string;
  readonly pace: UsePace | undefined;
  readonly switchAfterMs: number;
  readonly shouldSwitchOnEmpty: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: SourceErrorListener | undefined;
  readonly onSwitch: ((service: string, to: FallbackChoice) => void) | undefined;
}

/** The two sources of one service, and the choice between them. The secondary is watched only while it is used. */
export class FallbackPair {
  /** Notified whenever {@link choose} may choose differently. */
  readonly changes: Notifier = new Notifier();
  readonly #options: FallbackPairOptions;
  readonly #primary: WatchedSource;
  #substitute: WatchedSource | undefined = undefined;
  #stopping: Promise<unknown> = Promise.resolve();
  /** Runs from the moment the primary owes an answer. */
  #timer: Timer | undefined = undefined;
  #isOverdue = false;

  constructor(options: FallbackPairOptions) {
    this.#options = options;
    this.#primary = this.#source(options.primary);
    this.#expectAnswer();
  }

  /** The source to use now; it may not have answered yet. Throws `ERR_MESH_DISCOVERY` when both fail. */
  choose(): WatchedSource {
    const primary = this.#primary;
    const isGood = primary.endpoints !== undefined && !primary.isFailing;
    const isUnwanted = isGood && primary.endpoints.length === 0 && this.#options.shouldSwitchOnEmpty;
    if (isGood) this.#forgive();
    else if (primary.endpoints === undefined && primary.isFailing) this.#isOverdue = true;
    // It fails after a good answer: its last set stays in use for as long as a short disturbance takes.
    else this.#expectAnswer();

    if (isGood && !isUnwanted) {
      this.#leaveSubstitute();
      return primary;
    }
    if (!isUnwanted && !this.#isOverdue) return primary;
    const substitute = this.#useSubstitute();
    if (isUnwanted) {
      // The secondary has no instance either: the answer is empty, which is no error.
      const hasNothing = substitute.endpoints === undefined ? substitute.isFailing : substitute.endpoints.length === 0;
      return hasNothing ? primary : substitute;
    }
    if (primary.isFailing && substitute.isFailing) throw allFailed(this.#options.service, [primary, substitute]);
    return substitute;
  }

  /** Hands on a hint that the endpoints may be out of date. */
  refresh(): void {
    this.#primary.refresh();
    this.#substitute?.refresh();
  }

  /** Resolves when both adapters have stopped. */
  async stop(): Promise<void> {
    this.#forgive();
    await Promise.all([this.#primary.stop(), this.#substitute?.stop(), this.#stopping]);
  }

  #source(discovery: Discovery): WatchedSource {
    const { service, clock, random, pace, onError } = this.#options;
    // `trust`: a set that shrinks is judged once, by the mesh's own watcher.
    return new WatchedSource({ discovery, service, clock, random, emptyPolicy: "trust", pace, onError, changes: this.changes });
  }

  #useSubstitute(): WatchedSource {
    if (this.#substitute) return this.#substitute;
    const { secondary, service, onSwitch } = this.#options;
    this.#substitute = this.#source(secondary);
    tellSwitch(onSwitch, service, "secondary");
    return this.#substitute;
  }

  #leaveSubstitute(): void {
    if (this.#substitute === undefined) return;
    const { service, onSwitch } = this.#options;
    this.#stopping = Promise.all([this.#stopping, this.#substitute.stop()]);
    this.#substitute = undefined;
    tellSwitch(onSwitch, service, "primary");
  }

  #expectAnswer(): void {
    if (this.#isOverdue || this.#timer !== undefined) return;
    const { clock, switchAfterMs } = this.#options;
    this.#timer = clock.setTimer(
      () => {
        this.#isOverdue = true;
        this.changes.notify();
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

function tellSwitch(onSwitch: ((service: string, to: FallbackChoice) => void) | undefined, service: string, to: FallbackChoice): void {
  fenced("onSwitch of a fallback", () => onSwitch?.(service, to));
}
