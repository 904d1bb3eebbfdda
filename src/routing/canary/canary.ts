import type { Timer } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { describeError } from "../../core/errors.ts";
import type { CanaryChange, CanaryReading } from "../../core/observing/routes/canary-reading.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import type { CanaryControl } from "./canary-control.ts";
import { noCounts, type StepCounts, sumOfCounts, totalOf } from "./canary-counts.ts";
import { type CanaryDecision, isSettled, shareBy } from "./canary-decision.ts";
import { type CanaryParts, firstDecision } from "./canary-parts.ts";
import { CountedKeys } from "./counted-keys.ts";
import { CountedOutcome } from "./counted-outcome.ts";
import { FollowedCall } from "./followed-call.ts";
import { harmOf, type JudgedCounts, nextDecision } from "./judge.ts";
import type { LiveWeights } from "./live-weights.ts";
import type { SharedDecision } from "./shared-decision.ts";
import { SlowBound } from "./slow-bound.ts";

/** Weights are whole numbers: a share is one of so many. */
const wholeWeight = 1_000_000;
/** Time between two looks at the counts, in milliseconds; and where only an operator decides any more. */
const lookMs = 1_000;
const settledLookMs = 5_000;
/** Time that a shared state has for an answer, in milliseconds. */
const stateTimeoutMs = 2_000;

/**
 * A split whose second target takes over from the first: it counts the outcomes of both, and moves the weights by them. The counts are looked at every second
 * while there are calls, or the shared state is asked.
 */
export class Canary implements LiveWeights, CanaryControl {
  readonly #parts: CanaryParts;
  readonly #bound: SlowBound;
  #decision: CanaryDecision;
  #weights: readonly number[] = [];
  #counts: StepCounts[] = [];
  #keys = new CountedKeys();
  /** The counts of all processes, as they were known last. */
  #known: JudgedCounts | undefined = undefined;
  #stateError: unknown = undefined;
  /** Whether a decision is known: a process that has just begun asks for the shared one first. */
  #isKnown: boolean;
  /** The decision of an operator, or of this process while the state does not answer, that the state does not have yet. */
  #pending: CanaryDecision | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #looking: AbortController | undefined = undefined;
  #isClosed = false;
  #hasBegun = false;
  #service: string;

  constructor(parts: CanaryParts) {
    this.#parts = parts;
    this.#service = parts.service ?? "";
    this.#bound = new SlowBound(parts.settings.maxSlowdown);
    this.#decision = firstDecision(parts, 0);
    this.#isKnown = parts.shared === undefined;
    this.#weigh();
  }

  get weights(): readonly number[] {
    return this.#weights;
  }

  /** The counts of this process, for each step. */
  get counts(): readonly StepCounts[] {
    return this.#counts;
  }

  /** Its rule, state and counts now. */
  reading(): CanaryReading {
    const { rule, targets, settings, shared } = this.#parts;
    const { state, step, sinceMs, why } = this.#decision;
    const { all } = this.#judged();
    const [stable, canary] = targets;
    const total = totalOf(all);
    return {
      service: this.#service,
      rule,
      state,
      why,
      sinceMs,
      step: step + 1,
      steps: settings.steps,
      share: this.#share,
      stable: { target: stable, calls: total.stable.calls, failures: total.stable.failed },
      canary: { target: canary, calls: total.canary.calls, failures: total.canary.failed },
      sharedBy: shared?.name,
      processes: this.#isAlone ? 1 : Math.max(1, this.#known?.groups.length ?? 1),
      stateError: this.#stateError === undefined ? undefined : describeError(this.#stateError),
    };
  }

  follow(request: MeshRequest, target: number, key: number | undefined, receiver: Receiver): Receiver {
    if (this.#isClosed) return receiver;
    this.#begin(request.service);
    // Calls that chance had no part in are no evidence.
    if (!this.#isKnown || isSettled(this.#decision)) return receiver;
    const { stable, canary } = this.#countsOf(this.#decision.step);
    const isCanary = target === 1;
    const by = { counts: isCanary ? canary : stable, isCanary, bound: this.#bound, keys: this.#keys, key };
    return new FollowedCall(request, receiver, new CountedOutcome(by), this.#now);
  }

  /** Sends all calls to the stable target, as an operator wants it. */
  rollBack(why = "no reason given"): void {
    this.#put({ ...this.#decision, state: "rolled-back", sinceMs: this.#parts.clock.wallNow(), why: `an operator: ${why}` });
  }

  /** Begins anew with the first step. */
  resume(): void {
    this.#put(firstDecision(this.#parts, this.#decision.run + 1, "resumed by an operator"));
  }

  /** Ends the looks at the counts. */
  close(): void {
    this.#isClosed = true;
    this.#parts.clock.clearTimer(this.#timer);
    this.#looking?.abort();
  }

  /** The share of the canary by the weights in force, 0 to 1. */
  get #share(): number {
    return (this.#weights[1] ?? 0) / wholeWeight;
  }

  get #isAlone(): boolean {
    return this.#parts.shared === undefined || this.#stateError !== undefined;
  }

  readonly #now = (): number => this.#parts.clock.now();

  #begin(service: string): void {
    if (this.#service === "") this.#service = service;
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { shared, clock } = this.#parts;
    this.#decision = { ...this.#decision, sinceMs: clock.wallNow() };
    this.#tell(
      "began",
      shared === undefined ? "this process decides alone: it has no shared state" : `several processes decide by ${shared.name}`,
    );
    if (shared === undefined) this.#plan();
    else this.#look();
  }

  #plan(): void {
    if (this.#isClosed) return;
    const { clock } = this.#parts;
    clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(this.#look, isSettled(this.#decision) && this.#pending === undefined ? settledLookMs : lookMs, false);
  }

  readonly #look = (): void => {
    const { shared } = this.#parts;
    this.#bound.settle();
    if (shared !== undefined) void this.#lookTogether(shared);
    else {
      this.#judgeAlone();
      if (!isSettled(this.#decision)) this.#plan();
    }
  };

  #judgeAlone(): void {
    const next = nextDecision(this.#decision, this.#judged(), this.#parts.settings, this.#parts.clock.wallNow());
    if (next !== undefined) this.#take(next);
  }

  /** Exchanges counts with the other processes, and decides by those of all. Never rejects. */
  async #lookTogether(shared: SharedDecision): Promise<void> {
    if (this.#looking !== undefined || this.#isClosed) return;
    const { clock } = this.#parts;
    const looking = new AbortController();
    this.#looking = looking;
    const limit = clock.setTimer(() => looking.abort(new Error(`no answer within ${stateTimeoutMs} ms`)), stateTimeoutMs, false);
    const pending = this.#pending;
    try {
      await Promise.race([this.#decideTogether(shared, looking.signal), rejectionBy(looking.signal)]);
      this.#find(shared);
    } catch (error) {
      this.#lose(shared, error);
    } finally {
      clock.clearTimer(limit);
      looking.abort();
      this.#looking = undefined;
      // An operator has decided meanwhile.
      if (this.#pending !== undefined && this.#pending !== pending) void this.#lookTogether(shared);
      else this.#plan();
    }
  }

  async #decideTogether(shared: SharedDecision, signal: AbortSignal): Promise<void> {
    const { decision, counts } = await shared.exchange(this.#decision.run, this.#counts, signal);
    if (signal.aborted) return;
    this.#known = { all: sumOfCounts(counts), groups: counts };
    const pending = this.#pending;
    const wanted = this.#wanted(decision);
    if (wanted !== undefined) {
      // Where another process was first, its decision is read at the next look.
      if (!(await shared.propose(wanted, signal)) || signal.aborted) return;
      this.#take(wanted);
    } else if (decision !== undefined) this.#take(decision);
    if (this.#pending === pending) this.#pending = undefined;
  }

  /** The decision to propose in place of the one that is shared; `undefined` for none. */
  #wanted(shared: CanaryDecision | undefined): CanaryDecision | undefined {
    const own = this.#pending;
    if (shared === undefined) return own ?? this.#decision;
    if (own !== undefined && own.run > shared.run) return own;
    if (own !== undefined && own.run === shared.run && own.state === "rolled-back" && shared.state !== "rolled-back") return own;
    return nextDecision(shared, this.#judged(), this.#parts.settings, this.#parts.clock.wallNow());
  }

  #find(shared: SharedDecision): void {
    if (this.#stateError === undefined) return;
    this.#stateError = undefined;
    this.#tell("state-found", `${shared.name} answers again`);
  }

  #lose(shared: SharedDecision, error: unknown): void {
    if (this.#isClosed) return;
    const isNew = this.#stateError === undefined;
    this.#stateError = error ?? new Error("no reason");
    const kept = this.#isKnown ? "the last decision stays" : "all calls go to the stable target";
    if (isNew) this.#tell("state-lost", `${shared.name} does not answer: ${describeError(error)}; ${kept}`);
    if (!this.#isKnown || isSettled(this.#decision)) return;
    // The last decision stays, but for harm that the counts of this process prove.
    const harm = harmOf({ all: this.#counts, groups: [this.#counts] }, this.#parts.settings);
    if (harm?.isProved !== true) return;
    const why = `${harm.why}; decided by this process alone, since ${shared.name} does not answer`;
    this.#pending = { ...this.#decision, state: "rolled-back", sinceMs: this.#parts.clock.wallNow(), why };
    this.#take(this.#pending);
  }

  #judged(): JudgedCounts {
    const { shared, isSticky } = this.#parts;
    if (shared === undefined || this.#known === undefined) return { all: this.#counts, groups: [this.#counts] };
    const { all, groups } = this.#known;
    return { all, groups: isSticky && groups.length > 0 ? groups : [all] };
  }

  /** A decision of an operator: in force here at once, and of all processes with the next look. */
  #put(decision: CanaryDecision): void {
    const { shared } = this.#parts;
    this.#hasBegun = true;
    if (shared !== undefined) this.#pending = decision;
    this.#take(decision);
    if (this.#isClosed) return;
    if (shared === undefined) this.#plan();
    else void this.#lookTogether(shared);
  }

  #take(decision: CanaryDecision): void {
    const before = this.#decision;
    this.#isKnown = true;
    this.#decision = decision;
    const isNewRun = decision.run !== before.run;
    if (isNewRun) {
      this.#counts = [];
      this.#keys = new CountedKeys();
      this.#known = undefined;
    }
    this.#weigh();
    if (isNewRun) this.#tell("resumed", decision.why);
    else if (decision.state === before.state && decision.step === before.step) return;
    else if (decision.state === "stepping") this.#tell(decision.step === before.step ? "went-on" : "step", decision.why);
    else this.#tell(decision.state, decision.why);
  }

  #weigh(): void {
    const share = this.#isKnown ? shareBy(this.#decision, this.#parts.settings.shares) : 0;
    const canary = Math.round(share * wholeWeight);
    if (this.#weights[1] !== canary) this.#weights = [wholeWeight - canary, canary];
  }

  #countsOf(step: number): StepCounts {
    while (this.#counts.length <= step) this.#counts.push(noCounts());
    return this.#counts[step] as StepCounts;
  }

  #tell(change: CanaryChange, why: string): void {
    const { rule, events } = this.#parts;
    const { state } = this.#decision;
    events.emit?.({ type: "canary", service: this.#service, rule, change, state, share: this.#share, isAlone: this.#isAlone, why });
  }
}

function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
}
