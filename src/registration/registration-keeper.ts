import { inspect } from "node:util";
import type { Clock, Random, Timer } from "../core/clock.ts";
import { fenced } from "../core/observing/fence.ts";
import type { InstanceStatus, Registration } from "./registrar.ts";
import type { EntryCall, Recognition, RegistryEntry } from "./registry-entry.ts";

/** Options of a {@link RegistrationKeeper}. */
export interface RegistrationKeeperOptions {
  /** Called with the `ERR_MESH_REGISTRATION` of every renewal that failed, also of one that found the instance forgotten and has announced it again. */
  readonly onRenewalError?: ((error: Error) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const statuses: readonly InstanceStatus[] = ["up", "down", "out-of-service"];
const retryBaseMs = 250;
const minRetryMs = 50;
/** Longest pause while renewals fail: a registry that is back knows the instance within this time. */
const maxRetryMs = 5_000;

const background: EntryCall = { awaited: false };

/**
 * Keeps an entry that a registry has accepted as up, until it is deregistered: renews it before it expires, announces it again with its
 * status when the registry has forgotten it, and repeats what failed. Its timer keeps no process alive. Calls are made one after the
 * other, so that a renewal and a change of the status never overtake each other.
 */
export class RegistrationKeeper implements Registration {
  readonly #entry: RegistryEntry;
  readonly #options: RegistrationKeeperOptions;
  #status: InstanceStatus = "up";
  /** The status that the registry has; `undefined` when that is not known. */
  #reported: InstanceStatus | undefined = "up";
  #failures = 0;
  #timer: Timer = undefined;
  /** Settles with the last call that was asked for, and never rejects; `undefined` when there is none under way. */
  #busy: Promise<void> | undefined = undefined;
  #isEnded = false;
  #withdrawal: Promise<void> | undefined = undefined;

  constructor(entry: RegistryEntry, options: RegistrationKeeperOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#schedule();
  }

  get id(): string {
    return this.#entry.id;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    if (!statuses.includes(status))
      throw new TypeError(`the status of ${this.id} must be "up", "down" or "out-of-service", got ${inspect(status)}`);
    if (this.#isEnded) throw this.#entry.errorOf("report", new Error("it is deregistered"));
    this.#status = status;
    this.#reported = undefined;
    try {
      await this.#inTurn(async () => {
        // A later status, or a renewal in between, may have been reported already.
        if (!this.#isEnded && this.#reported !== this.#status) await this.#update({ awaited: true });
      });
    } catch (cause) {
      throw this.#entry.errorOf("report", cause);
    }
  }

  /** Renews now instead of when it is due: for a registry that knows when it has lost its data. Never rejects. */
  async renew(): Promise<void> {
    this.#options.clock.clearTimer(this.#timer);
    try {
      await this.#inTurn(async () => {
        if (!this.#isEnded) await this.#update(background);
      });
      this.#failures = 0;
    } catch (cause) {
      if (this.#isEnded) return;
      this.#failures++;
      this.#onError(this.#entry.errorOf("renew", cause));
    }
    if (!this.#isEnded) this.#schedule();
  }

  deregister(signal?: AbortSignal): Promise<void> {
    this.#isEnded = true;
    this.#options.clock.clearTimer(this.#timer);
    // Not a cancellation of a call that is under way: it might still be carried out, after the withdrawal.
    this.#withdrawal ??= this.#inTurn(() => this.#entry.withdraw({ awaited: true, signal })).catch((cause: unknown) => {
      // The next call tries again.
      this.#withdrawal = undefined;
      throw signal?.aborted ? signal.reason : this.#entry.errorOf("withdraw", cause);
    });
    return this.#withdrawal;
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
    return Math.max(minRetryMs, random() * Math.min(renewMs, maxRetryMs, retryBaseMs * 2 ** Math.min(this.#failures, 20)));
  }

  /** Brings the registry up to date: renews where it has the status, reports where it may not, announces where it has forgotten. */
  async #update(call: EntryCall): Promise<void> {
    const status = this.#status;
    let recognition: Recognition;
    if (this.#reported === status) {
      recognition = await this.#entry.renew(status, call);
    } else {
      recognition = await this.#entry.report(status, call);
      if (recognition === "known") this.#reported = status;
    }
    if (recognition === "forgotten") await this.#announce(call);
  }

  async #announce(call: EntryCall): Promise<void> {
    // Deregistered meanwhile: nothing may bring the instance back.
    if (this.#isEnded) return;
    this.#reported = undefined;
    const status = this.#status;
    await this.#entry.announce(status, call);
    this.#reported = status;
    const { lossReasons = "it was restarted without its data" } = this.#entry;
    this.#onError(
      this.#entry.errorOf("renew", new Error(`the registry did not know it any more, and has taken it again (${lossReasons})`)),
    );
  }

  #onError(error: Error): void {
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
