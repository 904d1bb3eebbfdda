import type { Clock, Random, Timer } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError } from "../core/errors.ts";
import { countReasons, type LeftOut, type LeftOutCount } from "../core/left-out.ts";
import type { EndpointsUpdate } from "../core/observing/events.ts";
import { type Boundary, type BoundedEndpoints, type OutsideEndpoint, within } from "./boundary/boundary.ts";
import { type CheckedAnswer, checkedAnswer } from "./checked-answer.ts";
import type { Discovery, EmptyPolicy } from "./discovery.ts";
import type { LastGood } from "./last-good/last-good.ts";
import { Notifier } from "./notifier.ts";
import { pauseUnlessNotified } from "./pause.ts";
import { Quarantine } from "./quarantine.ts";
import { RefreshPace } from "./refresh-pace.ts";
import { RestartPause } from "./restart-pause.ts";
import { keepIfSame, sameEndpoints } from "./same-endpoints.ts";
import { type ValidatedEndpoints, validateEndpoints } from "./validate.ts";

/** Options of a {@link Watcher}. */
export interface WatcherOptions {
  readonly discovery: Discovery;
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes precedence over the adapter's own. */
  readonly emptyPolicy?: EmptyPolicy | undefined;
  /** Endpoints outside of it are never handed out. */
  readonly boundary?: Boundary | undefined;
  /** Keeps the last good endpoints over a restart of the process. */
  readonly lastGood?: Pick<LastGood, "load" | "save"> | undefined;
  /** Called for every answer: a new set is in use, or the same one was confirmed. */
  readonly onUpdate: (update: EndpointsUpdate) => void;
  readonly onError: (error: unknown) => void;
}

/** Pause before a watch that returned by itself is started again: an adapter that returns is polled. */
const pollMs = 5_000;
/** How long discovery may be silent before the last good endpoints are used: shorter than a call waits for its first endpoints. */
const rememberAfterMs = 500;
/** How long an adapter may take to stop after its signal has aborted; then it is left behind. */
const releaseMs = 1_000;

/**
 * Keeps the endpoints of one service current. It is the one loop around every adapter: it starts the adapter's watch, starts it again
 * with full jitter when it fails, and keeps the last good set meanwhile. A registry that is down, slow or empty by accident never takes
 * an endpoint away.
 */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #controller = new AbortController();
  readonly #quarantine: Quarantine;
  readonly #startedAt: number;
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #isCertain = false;
  #lastEntries: readonly unknown[] | undefined = undefined;
  #lastValidated: (ValidatedEndpoints & BoundedEndpoints) | undefined = undefined;
  #updatedAt: number | undefined = undefined;
  #lastError: unknown = undefined;
  #waiters: (() => void)[] = [];
  #running: Promise<void> | undefined = undefined;
  #unconfirmed: readonly Endpoint[] = [];
  #leftOut: readonly LeftOut[] = [];
  #failingSince: number | undefined = undefined;
  readonly #restarts: RestartPause;
  readonly #refreshes: RefreshPace;
  /** Ends the pause of an adapter that is polled. */
  readonly #wake = new Notifier();
  #remembering: Timer | undefined = undefined;
  #isRemembering = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#quarantine = new Quarantine(options.emptyPolicy ?? options.discovery.emptyPolicy ?? "quarantine", options.clock);
    this.#restarts = new RestartPause(options.clock, options.random);
    this.#refreshes = new RefreshPace(options.clock, options.random, () => this.#ask());
  }

  /** Begins to watch. A second call does nothing. */
  start(): void {
    if (this.#running !== undefined) return;
    const { lastGood, clock } = this.#options;
    if (lastGood !== undefined) this.#remembering = clock.setTimer(() => this.#remember(), rememberAfterMs, false);
    this.#running = this.#run();
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

  /** Calls `listener` once, at the first answer. Returns a function that removes the listener. */
  onFirstAnswer(listener: () => void): () => void {
    this.#waiters.push(listener);
    return () => {
      this.#waiters = this.#waiters.filter((waiter) => waiter !== listener);
    };
  }

  /** Calls find instances that cannot be reached: the source is asked again soon, if it can be, and not too often. */
  refresh(): void {
    this.#refreshes.hint();
  }

  /** Ends the watch. Resolves when the adapter has stopped, after a second at the latest. */
  async stop(): Promise<void> {
    this.#controller.abort();
    this.#refreshes.stop();
    this.#options.clock.clearTimer(this.#remembering);
    this.#waiters = [];
    await this.#running;
  }

  #validate(entries: readonly unknown[]): ValidatedEndpoints & BoundedEndpoints {
    const { discovery, boundary } = this.#options;
    return within(boundary, validateEndpoints(entries, discovery.allowSocketPaths === true));
  }

  async #run(): Promise<void> {
    const { clock, random, onError } = this.#options;
    const { signal } = this.#controller;
    while (!signal.aborted) {
      let pauseMs = pollMs * (0.9 + 0.2 * random());
      let isFailing = false;
      try {
        this.#restarts.started();
        const end = await this.#watchOnce(signal);
        if (end === "recheck") continue;
      } catch (error) {
        if (signal.aborted) return;
        isFailing = true;
        this.#lastError = error;
        this.#failingSince ??= clock.now();
        onError(error);
        this.#remember();
        pauseMs = this.#restarts.failed();
      }
      const recheckMs = this.#quarantine.recheckMs;
      if (recheckMs !== undefined) pauseMs = Math.min(pauseMs, recheckMs);
      await pauseUnlessNotified(clock, pauseMs, signal, isFailing ? undefined : this.#wake);
    }
  }

  /** Asks the source again: a watch that runs by the adapter's own means, one that has returned by ending its pause. */
  #ask(): void {
    const { discovery, service, onError } = this.#options;
    this.#wake.notify();
    try {
      discovery.refresh?.(service);
    } catch (error) {
      onError(new Error(`refresh("${service}") threw: ${describeError(error)}`, { cause: error }));
    }
  }

  /** Runs one watch of the adapter until it ends, fails, or is given up because the quarantine needs a fresh answer. */
  async #watchOnce(signal: AbortSignal): Promise<"end" | "recheck"> {
    const { clock } = this.#options;
    const watch = new AbortController();
    let release: unknown;
    let abandon: () => void = () => {};
    const abandoned = new Promise<void>((resolve) => {
      abandon = resolve;
    });
    const abort = () => {
      watch.abort();
      release = clock.setTimer(abandon, releaseMs);
    };
    signal.addEventListener("abort", abort, { once: true });
    let recheck: unknown;
    try {
      await Promise.race([
        this.#consume(watch.signal, () => {
          this.#restarts.answered();
          clock.clearTimer(recheck);
          // A watch that only yields changes never confirms an empty answer, so a new one is started.
          const recheckMs = this.#quarantine.recheckMs;
          recheck = recheckMs === undefined ? undefined : clock.setTimer(abort, recheckMs, false);
        }),
        abandoned,
      ]);
      return watch.signal.aborted ? "recheck" : "end";
    } catch (error) {
      // An error thrown because the signal aborted is no failure.
      if (watch.signal.aborted) return "recheck";
      throw error;
    } finally {
      clock.clearTimer(recheck);
      clock.clearTimer(release);
      signal.removeEventListener("abort", abort);
      watch.abort();
    }
  }

  /** Accepts what one watch of the adapter yields, until that watch is given up. */
  async #consume(signal: AbortSignal, onAnswer: () => void): Promise<void> {
    const { discovery, service } = this.#options;
    for await (const yielded of discovery.watch(service, signal)) {
      if (signal.aborted) return;
      this.#accept(checkedAnswer(yielded, discovery, service));
      onAnswer();
    }
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
        if (found === undefined || this.answered || this.#controller.signal.aborted) return;
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
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const waiter of waiters) waiter();
    }
  }
}
