import type { Clock, Timer } from "../../core/clock.ts";
import type { GroupFiles, GroupView } from "./group-files.ts";

/** Options of a {@link WorkerGroup}. */
export interface WorkerGroupOptions {
  readonly files: GroupFiles;
  /** This worker holds the place from now on. `kept`: what the holder before it has kept, if there is one. Does not reject. */
  readonly onTake: (kept: string | undefined) => Promise<void>;
  /** This worker gives the place to another one, which has it once this resolves. Does not reject. */
  readonly onGive: () => Promise<void>;
  /** Called before each look. Does not throw. */
  readonly onLook: () => void;
  /** Called with a failure, once until it is over. Does not throw. */
  readonly onTrouble: (error: unknown) => void;
  readonly clock: Clock;
}

/** The part of a worker that leaves. */
export type Departure =
  /** Others serve on. */
  | "one-of-several"
  /** No other one serves: it holds the place, and does what is to be done at the end. */
  | "last";

/** Pause between two looks, in milliseconds: a place that is left, or whose holder is dead, is taken within this time. */
const lookMs = 200;
/** Pause between two signs of life for what removes old files, in milliseconds. */
const touchMs = 3_600_000;

/**
 * One worker among those that serve the same port: they hold one place together, one at a time. The holder that leaves gives it to another as soon as
 * one serves; that of a worker that has died is taken. Its timer keeps no process alive.
 */
export class WorkerGroup {
  readonly #options: WorkerGroupOptions;
  #isServing = false;
  #holds: GroupView | undefined = undefined;
  /** The text that this worker has kept as the holder, or that was handed over to it. */
  #kept: string | undefined = undefined;
  #hasLooked = false;
  #isEnded = false;
  #isTroubled = false;
  #touchedAt: number;
  #timer: Timer = undefined;
  /** Settles with the last look that was asked for, and never rejects. */
  #looking: Promise<void> = Promise.resolve();

  constructor(options: WorkerGroupOptions) {
    this.#options = options;
    this.#touchedAt = options.clock.now();
  }

  /** Whether this worker holds the place. */
  get holds(): boolean {
    return this.#holds !== undefined;
  }

  /** This worker serves from now on. Rejects where it cannot be shown. */
  async join(): Promise<void> {
    await this.#options.files.serve();
    this.#isServing = true;
    await this.#look();
  }

  /** Keeps a text for the next holder, in place of what was kept; for the holder only. Never rejects. */
  keep(text: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#holds === undefined) return;
      this.#kept = text;
      await this.#options.files.keep(this.#holds, text);
    });
  }

  /** This worker serves no more. It goes on looking until {@link end}: it gives its place to one that begins to serve meanwhile. */
  async leave(): Promise<Departure> {
    this.#isServing = false;
    await this.#inTurn(async () => {
      const { files } = this.#options;
      await files.leave();
      const view = await files.look();
      if (view.othersServe) await this.#handOver(view);
      else if (view.holder === "none") await this.#take(view);
    });
    return this.holds ? "last" : "one-of-several";
  }

  /** Looks no more, and leaves the place to whichever worker comes. Never rejects. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#options.clock.clearTimer(this.#timer);
    await this.#inTurn(async () => {
      const held = this.#holds;
      this.#holds = undefined;
      const { files } = this.#options;
      await files.leave();
      if (held === undefined) return;
      const { othersServe, holder } = await files.look();
      if (holder !== "own") return;
      if (othersServe) await files.release(held);
      else await files.remove();
    });
  }

  #look(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isEnded) return;
      this.#options.onLook();
      try {
        await this.#act();
      } finally {
        this.#schedule();
      }
    });
  }

  async #act(): Promise<void> {
    const { files, clock, onGive } = this.#options;
    if (this.#isServing && clock.now() - this.#touchedAt >= touchMs) await this.#touch();
    const view = await files.look();
    if (this.#isServing && !view.isShown) await files.serve();
    if (this.#holds !== undefined && view.holder !== "own") {
      // Something has removed the file: another worker may have the place by now.
      this.#holds = undefined;
      await onGive();
    }
    if (this.#isServing && this.#holds === undefined && view.holder === "none") await this.#take(view);
    this.#hasLooked = true;
    if (!this.#isServing && view.othersServe) await this.#handOver(view);
  }

  /** Gives the place, where this worker holds it, to one that serves. */
  async #handOver(view: GroupView): Promise<void> {
    const { files, onGive } = this.#options;
    if (this.#holds === undefined) return;
    await onGive();
    this.#holds = undefined;
    await files.release(view);
    // Those that have left meanwhile took it for held.
    const after = await files.look();
    if (!after.othersServe && after.holder === "none") await this.#take(after);
  }

  async #take(view: GroupView): Promise<void> {
    const { files, onTake } = this.#options;
    if (!(await files.take(view))) return;
    const holds: GroupView = { ...view, holder: "own", turn: view.turn + 1 };
    this.#holds = holds;
    // Left behind by a group of which all have died: that instance is no more.
    const isNew = !this.#hasLooked && !view.hasPredecessor;
    this.#kept = isNew ? undefined : ((await files.kept()) ?? this.#kept);
    // Also in place of what is of no account any more.
    if (this.#kept !== undefined || isNew) await files.keep(holds, this.#kept ?? "");
    await onTake(this.#kept === "" ? undefined : this.#kept);
  }

  async #touch(): Promise<void> {
    this.#touchedAt = this.#options.clock.now();
    await this.#options.files.serve();
    if (this.#holds !== undefined) await this.#options.files.touch(this.#holds);
  }

  #schedule(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (!this.#isEnded) this.#timer = clock.setTimer(() => void this.#look(), lookMs, false);
  }

  /** Never rejects. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(work).then(
      () => {
        this.#isTroubled = false;
      },
      (error: unknown) => {
        if (!this.#isTroubled) this.#options.onTrouble(error);
        this.#isTroubled = true;
      },
    );
    return this.#looking;
  }
}
