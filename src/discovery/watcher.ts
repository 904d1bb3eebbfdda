import type { Clock, Random, Timer } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { countReasons, type LeftOut, type LeftOutCount } from "../core/left-out.ts";
import type { EndpointsUpdate } from "../core/observing/events.ts";
import { type Boundary, type BoundedEndpoints, type OutsideEndpoint, within } from "./boundary/boundary.ts";
import type { CheckedAnswer } from "./checked-answer.ts";
import type { Discovery, EmptyPolicy, UsePace } from "./discovery.ts";
import type { LastGood } from "./last-good/last-good.ts";
import { Quarantine } from "./quarantine.ts";
import { RefreshPace } from "./refresh-pace.ts";
import { keepIfSame, sameEndpoints } from "./same-endpoints.ts";
import { type ValidatedEndpoints, validateEndpoints } from "./validate.ts";
import { OnUse } from "./watching/on-use.ts";
import { WatchLoop } from "./watching/watch-loop.ts";
import type { Watching, WatchSink } from "./watching/watching.ts";

/** Options of a {@link Watcher}. */
export interface WatcherOptions {
  readonly discovery: Discovery;
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes precedence over the adapter's own. */
  readonly emptyPolicy?: EmptyPolicy | undefined;
  /** The uses by which the source is asked. Absent: it is watched all the time. */
  readonly pace?: UsePace | undefined;
  /** Endpoints outside of it are never handed out. */
  readonly boundary?: Boundary | undefined;
  /** Keeps the last good endpoints over a restart of the process. */
  readonly lastGood?: Pick<LastGood, "load" | "save"> | undefined;
  /** Called for every answer: a new set is in use, or the same one was confirmed. */
  readonly onUpdate: (update: EndpointsUpdate) => void;
  readonly onError: (error: unknown) => void;
}

/** How long discovery may be silent before the last good endpoints are used: shorter than a call waits for its first endpoints. */
const rememberAfterMs = 500;

/**
 * Keeps the endpoints of one service current. It is the one loop around every adapter: it starts the adapter's watch, starts it again
 * with full jitter when it fails, and keeps the last good set meanwhile. A registry that is down, slow or empty by accident never takes
 * an endpoint away.
 */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #watching: Watching;
  readonly #quarantine: Quarantine;
  readonly #startedAt: number;
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #isCertain = false;
  #lastEntries: readonly unknown[] | undefined = undefined;
  #lastValidated: (ValidatedEndpoints & BoundedEndpoints) | undefined = undefined;
  #updatedAt: number | undefined = undefined;
  #lastError: unknown = undefined;
  #waiters: (() => void)[] = [];
  #isStarted = false;
  #isStopped = false;
  /** Calls have found the endpoints wrong, and an answer is under way that may mend that. */
  #isRenewing = false;
  #unconfirmed: readonly Endpoint[] = [];
  #leftOut: readonly LeftOut[] = [];
  #failingSince: number | undefined = undefined;
  readonly #refreshes: RefreshPace;
  #remembering: Timer | undefined = undefined;
  #isRemembering = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#quarantine = new Quarantine(options.emptyPolicy ?? options.discovery.emptyPolicy ?? "quarantine", options.clock);
    const { discovery, service, clock, random, pace } = options;
    const parts = { discovery, service, clock, random, sink: this.#sink() };
    const isByUse = pace !== undefined && discovery.combines !== true;
    this.#watching = isByUse ? new OnUse({ ...parts, pace }) : new WatchLoop({ ...parts, pace });
    this.#refreshes = new RefreshPace(clock, random, () => this.#watching.refresh());
  }

  /** Begins to watch. A second call does nothing. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { lastGood, clock, pace } = this.#options;
    // Where uses set the pace, a call has come: it gets what is known, and the source is asked beside it.
    const afterMs = pace === undefined ? rememberAfterMs : 0;
    if (lastGood !== undefined) this.#remembering = clock.setTimer(() => this.#remember(), afterMs, false);
    this.#watching.start();
  }

  /** `true` once discovery has answered, with an empty set too. */
  get answered(): boolean {
    return this.#endpoints !== undefined;
  }

  /** The error of the last failure; `undefined` after a good answer. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether the source was certain of the answer that is in use. */
  get certain(): boolean {
    return this.#isCertain;
  }

  /** Milliseconds since the last answer that is in use; `undefined` before the first. An answer in quarantine does not count. */
  get ageMs(): number | undefined {
    return this.#updatedAt === undefined ? undefined : this.#options.clock.now() - this.#updatedAt;
  }

  /** The endpoints in use; none before the first answer. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints ?? [];
  }

  /** Endpoints in use that the last answer left out, in quarantine until that is confirmed. */
  get unconfirmed(): readonly Endpoint[] {
    return this.#unconfirmed;
  }

  /** The entries of the last answer that are not used, by their reasons, the most frequent one first. */
  get leftOut(): readonly LeftOutCount[] {
    return countReasons([...this.#leftOut, ...(this.#lastValidated?.rejected ?? [])]);
  }

  /** Endpoints of the last answer that are outside of the boundary. */
  get outside(): readonly OutsideEndpoint[] {
    return this.#lastValidated?.outside ?? [];
  }

  /** Milliseconds since the first failure after the last good answer; `undefined` while discovery works. */
  get failingMs(): number | undefined {
    return this.#failingSince === undefined ? undefined : this.#options.clock.now() - this.#failingSince;
  }

  /** Milliseconds since the watch began. */
  get watchedMs(): number {
    return this.#options.clock.now() - this.#startedAt;
  }

  /**
   * `true` while calls had better wait for the answer that is under way: a process that has slept has found that its endpoints cannot be reached.
   * It ends with that answer or its failure.
   */
  get isRenewing(): boolean {
    return this.#isRenewing;
  }

  /** Whether a call waits for an answer. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Calls `listener` once, at the next answer, or when one that was renewed fails. Returns a function that removes the listener. */
  onFirstAnswer(listener: () => void): () => void {
    this.#waiters.push(listener);
    return () => {
      this.#waiters = this.#waiters.filter((waiter) => waiter !== listener);
    };
  }

  /** Calls find instances that cannot be reached: the source is asked again soon, if it can be, and not too often. */
  refresh(): void {
    const { pace } = this.#options;
    if (pace === undefined) {
      this.#refreshes.hint();
      return;
    }
    this.#watching.refresh();
    const { ageMs } = this;
    if (ageMs !== undefined && ageMs >= pace.refreshAfterMs && pace.isAsking) this.#isRenewing = true;
  }

  /** No question is open: calls that wait for a better answer get what is known. */
  settle(): void {
    if (this.answered) this.#wake();
  }

  /** Ends the watch. Resolves when the adapter has stopped, after a second at the latest. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#refreshes.stop();
    this.#options.clock.clearTimer(this.#remembering);
    this.#waiters = [];
    await this.#watching.stop();
  }

  #sink(): WatchSink {
    const recheckMs = () => this.#quarantine.recheckMs;
    return {
      accept: (answer) => this.#accept(answer),
      failed: (error) => this.#failed(error),
      hintFailed: (error) => this.#options.onError(error),
      get recheckMs() {
        return recheckMs();
      },
    };
  }

  #validate(entries: readonly unknown[]): ValidatedEndpoints & BoundedEndpoints {
    const { discovery, boundary } = this.#options;
    return within(boundary, validateEndpoints(entries, discovery.allowSocketPaths === true));
  }

  #failed(error: unknown): void {
    this.#lastError = error;
    this.#failingSince ??= this.#options.clock.now();
    this.#options.onError(error);
    this.#remember();
  }

  #accept({ endpoints: entries, certain, leftOut: told, unconfirmed: passedOn }: CheckedAnswer): void {
    const { service, clock, lastGood } = this.#options;
    // The same array confirms the last answer. Validating ten thousand entries again would take ten milliseconds.
    if (entries !== this.#lastEntries || this.#lastValidated === undefined) this.#lastValidated = this.#validate(entries);
    this.#lastEntries = entries;
    const { endpoints, rejected, notUsed } = this.#lastValidated;
    const leftOut = notUsed.length === 0 ? told : [...told, ...notUsed];
    const judgement = this.#quarantine.judge(this.#endpoints ?? [], { endpoints, certain, leftOut });
    const doubted = new Set(passedOn);
    const unconfirmed =
      passedOn.length === 0 ? judgement.unconfirmed : [...judgement.unconfirmed, ...endpoints.filter(({ id }) => doubted.has(id))];
    const quarantined = unconfirmed.length > 0;
    // A confirmed set stays the same array, by which listeners see that nothing has changed.
    const inUse = quarantined && this.#endpoints !== undefined ? keepIfSame(this.#endpoints, judgement.endpoints) : judgement.endpoints;
    this.#unconfirmed = unconfirmed;
    this.#leftOut = leftOut;
    if (inUse !== this.#endpoints && !sameEndpoints(this.#endpoints ?? [], inUse)) this.#refreshes.changed();
    if (!quarantined) {
      this.#updatedAt = clock.now();
      lastGood?.save(service, inUse);
    }
    this.#lastError = undefined;
    this.#failingSince = undefined;
    this.#use({ service, endpoints: inUse, rejected, quarantined, ...(leftOut.length === 0 ? {} : { leftOut }) }, certain);
  }

  /** Uses the last good endpoints of an earlier process, unless discovery answers before they are read. */
  #remember(): void {
    const { lastGood, service, clock } = this.#options;
    clock.clearTimer(this.#remembering);
    if (lastGood === undefined || this.answered || this.#isRemembering) return;
    this.#isRemembering = true;
    lastGood.load(service).then(
      (found) => {
        if (found === undefined || this.answered || this.#isStopped) return;
        const { endpoints, rejected } = this.#validate(found.endpoints);
        if (endpoints.length === 0) return;
        this.#updatedAt = clock.now() - found.ageMs;
        this.#use({ service, endpoints, rejected, quarantined: true }, false);
      },
      (error: unknown) => this.#options.onError(error),
    );
  }

  #use(update: EndpointsUpdate, certain: boolean): void {
    this.#endpoints = update.endpoints;
    this.#isCertain = certain;
    try {
      this.#options.onUpdate(update);
    } finally {
      this.#wake();
    }
  }

  #wake(): void {
    this.#isRenewing = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
