import { inspect } from "node:util";
import { type Clock, fullJitter, type Random, type Timer } from "../core/clock.ts";
import { fenced } from "../core/observing/fence.ts";
import { callWithin } from "./call-within.ts";
import { type InstanceStatus, instanceStatuses, type Registration, type RegistrationOwner, type RegistrationReport } from "./registrar.ts";
import type { EntryCall, Recognition, RegistryEntry } from "./registry-entry.ts";

/** Options of a {@link RegistrationKeeper}. */
export interface RegistrationKeeperOptions {
  /** The status that was announced; absent means `up`. */
  readonly status?: InstanceStatus;
  /** Told of what becomes of the registration. */
  readonly owner?: RegistrationOwner | undefined;
  /** Called with the `ERR_MESH_REGISTRATION` of every renewal that failed, also of one that found the instance forgotten and has announced it again. */
  readonly onRenewalError?: ((error: Error) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const retryBaseMs = 250;
const minRetryMs = 50;
/** Longest pause while renewals fail: a registry that is back knows the instance within this time. */
const maxRetryMs = 5_000;

/** How long a call that is under way may still take before the withdrawal, in milliseconds: what is cut off may be carried out after it. */
const settleMs = 1_000;
/** How long the withdrawal waits to hear whose entry it is, in milliseconds. */
const lookMs = 500;

/** Another process has announced the same id later. */
class ReplacedError extends Error {
  constructor() {
    super("another process has registered under this id since, to which it is left: every process needs an id of its own");
  }
}

/**
 * Keeps an entry that a registry has accepted, until it is deregistered: renews it before it expires, announces it again with its
 * status when the registry has forgotten it, and repeats what failed. Its timer keeps no process alive. Calls are made one after the
 * other, so that a renewal and a change of the status never overtake each other. An entry that another process has announced later is
 * left alone, also by the withdrawal: two processes under one id would otherwise replace each other for ever, and the end of the older one
 * would remove the newer.
 */
export class RegistrationKeeper implements Registration {
  readonly #entry: RegistryEntry;
  readonly #options: RegistrationKeeperOptions;
  #status: InstanceStatus;
  /** The status that the registry has; `undefined` when that is not known. */
  #reported: InstanceStatus | undefined;
  #failures = 0;
  /** The last report to the owner that was not `renewed`; `undefined` when all is well. */
  #trouble: RegistrationReport["type"] | undefined = undefined;
  #timer: Timer = undefined;
  /** Settles with the last call that was asked for, and never rejects; `undefined` when there is none under way. */
  #busy: Promise<void> | undefined = undefined;
  #isEnded = false;
  #withdrawal: Promise<void> | undefined = undefined;
  /** Cuts off the calls of renewals and reports: a registry that hangs at one of them could not be asked to remove the entry. */
  readonly #cut = new AbortController();

  constructor(entry: RegistryEntry, options: RegistrationKeeperOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#status = options.status ?? "up";
    this.#reported = this.#status;
    this.#schedule();
  }

  get id(): string {
    return this.#entry.id;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  get renewMs(): number {
    return this.#entry.renewMs;
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    if (!instanceStatuses.includes(status))
      throw new TypeError(`the status of ${this.id} must be "up", "down" or "out-of-service", got ${inspect(status)}`);
    if (this.#isEnded) throw this.#entry.errorOf("report", new Error("it is deregistered"));
    this.#status = status;
    this.#reported = undefined;
    try {
      await this.#inTurn(async () => {
        // A later status, or a renewal in between, may have been reported already.
        if (!this.#isEnded && this.#reported !== this.#status) await this.#update(this.#call(true));
      });
      this.#tellRenewed();
    } catch (cause) {
      // The owner learns it here; the renewal that makes it good is reported.
      this.#trouble ??= "failed";
      throw this.#entry.errorOf("report", cause);
    }
  }

  async setWeight(weight: number): Promise<void> {
    checkWeight(this.id, weight);
    if (this.#isEnded) throw this.#entry.errorOf("reweigh", new Error("it is deregistered"));
    if (this.#entry.reweigh === undefined) throw new TypeError(`the registry of ${this.id} knows no weights`);
    try {
      await this.#inTurn(async () => {
        if (this.#isEnded) return;
        const call = this.#call(true);
        if (await this.#isReplaced(call)) throw new ReplacedError();
        // Announcements have the new weight already.
        if ((await this.#entry.reweigh?.(weight, this.#status, call)) === "forgotten") await this.#announce(call);
      });
    } catch (cause) {
      throw this.#entry.errorOf("reweigh", cause);
    }
  }

  /** Renews now instead of when it is due: for a registry that knows when it has lost its data. Never rejects. */
  async renew(): Promise<void> {
    this.#options.clock.clearTimer(this.#timer);
    try {
      await this.#inTurn(async () => {
        if (!this.#isEnded) await this.#update(this.#call(false));
      });
      this.#failures = 0;
      this.#tellRenewed();
    } catch (cause) {
      if (this.#isEnded) return;
      this.#noteFailure(cause);
    }
    if (!this.#isEnded) this.#schedule();
  }

  deregister(signal?: AbortSignal): Promise<void> {
    this.#isEnded = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#withdrawal ??= this.#settleThen(() => this.#withdraw({ awaited: true, signal })).catch((cause: unknown) => {
      // The next call tries again.
      this.#withdrawal = undefined;
      throw signal?.aborted ? signal.reason : this.#entry.errorOf("withdraw", cause);
    });
    return this.#withdrawal;
  }

  async abandon(): Promise<void> {
    this.#isEnded = true;
    this.#options.clock.clearTimer(this.#timer);
    // After a call under way, which might reach the registry after the successor's.
    const left = this.#inTurn(async () => {});
    this.#withdrawal ??= left;
    await left;
  }

  /** {@link deregister}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  #schedule(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (this.#entry.renewMs === Number.POSITIVE_INFINITY) return;
    this.#timer = clock.setTimer(() => void this.renew(), this.#pauseMs(), false);
  }

  /** Slightly less than the interval, at random, so that processes started together do not stay in step; full jitter after a failure. */
  #pauseMs(): number {
    const { renewMs } = this.#entry;
    const { random } = this.#options;
    if (this.#failures === 0) return renewMs * (0.9 + 0.1 * random());
    return Math.max(minRetryMs, fullJitter(random, this.#failures, { baseMs: retryBaseMs, capMs: Math.min(renewMs, maxRetryMs) }));
  }

  /** Brings the registry up to date: renews where it has the status, reports where it may not, announces where it has forgotten. */
  async #update(call: EntryCall): Promise<void> {
    // Before what would change the entry of another process; after a renewal, which must not be late.
    const looksFirst = call.awaited || this.#trouble === "replaced";
    // Not awaited where nothing is asked: the call begins in the same turn.
    if (looksFirst && this.#entry.isReplaced !== undefined && (await this.#isReplaced(call))) throw new ReplacedError();
    const status = this.#status;
    let recognition: Recognition;
    if (this.#reported === status) {
      recognition = await this.#entry.renew(status, call);
    } else {
      recognition = await this.#entry.report(status, call);
      if (recognition === "known") this.#reported = status;
    }
    if (recognition === "forgotten") await this.#announce(call);
    else if (!looksFirst && (await this.#isReplaced(call))) throw new ReplacedError();
  }

  async #announce(call: EntryCall): Promise<void> {
    // Deregistered meanwhile: nothing may bring the instance back.
    if (this.#isEnded) return;
    this.#reported = undefined;
    const status = this.#status;
    await this.#entry.announce(status, call);
    this.#reported = status;
    const { lossReasons = "it was restarted without its data" } = this.#entry;
    // What another process has taken meanwhile was not lost by the registry.
    if (this.#trouble === "replaced") return;
    this.#tell(
      "forgotten",
      this.#entry.errorOf("renew", new Error(`the registry did not know it any more, and has taken it again (${lossReasons})`)),
    );
  }

  /** Runs `work` after the call that is under way, which gets a little time only. */
  async #settleThen(work: () => Promise<void>): Promise<void> {
    if (this.#busy === undefined) return await this.#inTurn(work);
    const { clock } = this.#options;
    const timer = clock.setTimer(() => this.#cut.abort(new Error("it is deregistered")), settleMs);
    try {
      await this.#inTurn(() => {
        clock.clearTimer(timer);
        return work();
      });
    } finally {
      clock.clearTimer(timer);
    }
  }

  async #withdraw(call: EntryCall): Promise<void> {
    if (this.#entry.isReplaced !== undefined && (await this.#isLeftToAnother(call))) return;
    await this.#entry.withdraw(call);
  }

  /** Whether the entry is another process's by now; `false` where the registry does not say so in time, since the time is for the withdrawal. */
  async #isLeftToAnother(call: EntryCall): Promise<boolean> {
    const limits = { clock: this.#options.clock, limitMs: lookMs, reason: new Error(`no answer within ${lookMs} ms`) };
    try {
      return await callWithin(call, limits, (look) => this.#isReplaced(look));
    } catch (error) {
      if (call.signal?.aborted) throw error;
      return false;
    }
  }

  #call(awaited: boolean): EntryCall {
    return { awaited, signal: this.#cut.signal };
  }

  async #isReplaced(call: EntryCall): Promise<boolean> {
    if (this.#entry.isReplaced === undefined) return false;
    try {
      return await this.#entry.isReplaced(call);
    } catch (error) {
      if (call.signal?.aborted) throw error;
      // The call that follows tells what is wrong with the registry.
      return false;
    }
  }

  #noteFailure(cause: unknown): void {
    const error = this.#entry.errorOf("renew", cause);
    if (!(cause instanceof ReplacedError)) {
      this.#failures++;
      this.#tell("failed", error);
      return;
    }
    this.#failures = 0;
    // What is reported next is for a registry that knows the instance no more.
    this.#reported = undefined;
    if (this.#trouble !== "replaced") this.#tell("replaced", error);
  }

  #tellRenewed(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.owner?.onReport({ type: "renewed" });
  }

  #tell(type: Exclude<RegistrationReport["type"], "renewed">, error: Error): void {
    this.#trouble = type;
    this.#options.owner?.onReport({ type, error });
    fenced("onRenewalError of a registration", () => this.#options.onRenewalError?.(error));
  }

  /** Runs `work` after everything that is under way; at once, and synchronously up to its first wait, when nothing is. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#busy === undefined ? work() : this.#busy.then(work);
    const end = () => {
      if (this.#busy === settled) this.#busy = undefined;
    };
    const settled: Promise<void> = turn.then(end, end);
    this.#busy = settled;
    return turn;
  }
}

/** Throws a `RangeError` on a number that is no weight of an instance. */
export function checkWeight(id: string, weight: unknown): asserts weight is number {
  if (!(typeof weight === "number" && Number.isInteger(weight) && weight >= 1 && weight <= 65_535))
    throw new RangeError(`the weight of ${id} must be an integer from 1 to 65535, got ${inspect(weight)}`);
}
