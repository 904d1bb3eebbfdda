import { type Clock, fullJitter, type Random, sleepUnlessAborted } from "../core/clock.ts";
import { callWithin } from "./call-within.ts";
import type { InstanceStatus } from "./registrar.ts";
import type { RegistryEntry } from "./registry-entry.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Options of an {@link Announcement}. */
export interface AnnouncementOptions {
  /** 0 makes one attempt. */
  readonly registerTimeoutMs: number;
  /** Whether a caller waits for it, so that it keeps the process alive. */
  readonly awaited: boolean;
  /** The status to announce, read before each attempt. */
  readonly status: () => InstanceStatus;
  readonly clock: Clock;
  readonly random: Random;
}

const retryBaseMs = 100;
const retryCapMs = 2_000;
/** How long an attempt that is given up may still take, in milliseconds, before it is cut off. */
const settleMs = 1_000;
/** How long the registry then has to remove what an attempt may have left there, in milliseconds. */
const takeBackMs = 750;

/** The first announcement of an entry, which takes as many attempts as the registry needs. */
export class Announcement {
  readonly #entry: RegistryEntry;
  readonly #options: AnnouncementOptions;
  /** Ends the attempt under way. */
  readonly #cut = new AbortController();
  /** Settles with the last attempt, which may be under way still when the time is up, and never rejects. */
  #call: Promise<void> | undefined = undefined;
  #mayBeListed = false;

  constructor(entry: RegistryEntry, options: AnnouncementOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  /**
   * Resolves with the announced status once the registry has accepted the entry. Rejects with the registry's last failure, where there is
   * one, on abort too: at once then, and the attempt under way is left to {@link takeBack}.
   */
  async make(signal: AbortSignal): Promise<InstanceStatus> {
    const { registerTimeoutMs, clock, random } = this.#options;
    let failure: unknown;
    for (let attempt = 0; ; attempt++) {
      const status = this.#options.status();
      try {
        await this.#attempt(status, signal);
        return status;
      } catch (error) {
        const isRefusal = !signal.aborted && this.#entry.isRefusal(error);
        if (!isRefusal) this.#mayBeListed = true;
        // What the registry answered says more than that the time is up.
        if (signal.aborted) throw failure ?? error;
        if (isRefusal || registerTimeoutMs === 0) throw error;
        failure = error;
      }
      try {
        await sleepUnlessAborted(clock, fullJitter(random, attempt, { baseMs: retryBaseMs, capMs: retryCapMs }), signal);
      } catch {
        throw failure;
      }
    }
  }

  /**
   * Has the registry remove what an attempt may have left there, after the attempt under way: what is cut off may still be carried out, after
   * the removal. Never rejects. `awaited`: whether a caller waits for it.
   */
  async takeBack(awaited: boolean): Promise<void> {
    if (!this.#mayBeListed) return;
    const { clock } = this.#options;
    const givenUp = new Error("the registration has been given up");
    const timer = clock.setTimer(() => this.#cut.abort(givenUp), settleMs, awaited);
    await this.#call;
    clock.clearTimer(timer);
    const limits = { clock, limitMs: takeBackMs, reason: givenUp };
    await callWithin({ awaited }, limits, (call) => this.#entry.withdraw(call)).catch(() => {});
  }

  async #attempt(status: InstanceStatus, signal: AbortSignal): Promise<void> {
    const call = this.#entry.announce(status, { awaited: this.#options.awaited, signal: this.#cut.signal });
    this.#call = call.catch(() => {});
    await unlessAborted(call, signal);
  }
}
