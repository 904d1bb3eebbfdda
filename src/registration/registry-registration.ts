import { type Clock, fullJitter, type Random, type Timer } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { RegistrationState } from "../core/observing/registration-state.ts";
import type { RegistryStanding } from "./mesh-registration.ts";
import type { Instance, InstanceStatus, Registrar, Registration, RegistrationReport } from "./registrar.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Options of a {@link RegistryRegistration}. */
export interface RegistryRegistrationOptions {
  readonly registrar: Registrar;
  readonly instance: Instance;
  /** The status to tell the registry. */
  readonly status: () => InstanceStatus;
  /** Called when the standing has changed. `lost`: the registry had lost the instance. Does not throw. */
  readonly onChange: (registration: RegistryRegistration, lost: boolean) => void;
  /** Called with a failure that no caller is told of, once until it is over. Does not throw. */
  readonly onFailure: (error: Error) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const retryBaseMs = 500;
const minRetryMs = 50;
/** Longest pause between two tries: a registry that has come up has the instance within this time and one try. */
const maxRetryMs = 5_000;

/** One instance at one registry: registered, tried again in the background until the registry takes it, and ended. */
export class RegistryRegistration {
  readonly #options: RegistryRegistrationOptions;
  readonly #stop = new AbortController();
  #instance: Instance;
  #registration: Registration | undefined = undefined;
  #state: RegistrationState = "pending";
  #error: Error | undefined = undefined;
  /** The status that the registry has confirmed. */
  #told: InstanceStatus | undefined = undefined;
  /** Settles with the try under way, and never rejects. */
  #trying: Promise<void> | undefined = undefined;
  #tries = 0;
  #timer: Timer = undefined;
  #ending: Promise<void> | undefined = undefined;

  constructor(options: RegistryRegistrationOptions) {
    this.#options = options;
    this.#instance = options.instance;
  }

  get standing(): RegistryStanding {
    const { name = "the registrar", callersKnowAfterMs } = this.#options.registrar;
    return { registry: name, state: this.#state, status: this.#told, error: this.#error, callersKnowAfterMs };
  }

  /** The id in the registry; `undefined` as long as the registry has not accepted the instance. */
  get id(): string | undefined {
    return this.#registration?.id;
  }

  /** The time between two renewals in milliseconds; `undefined` where there are none, or the registry has not accepted the instance. */
  get renewMs(): number | undefined {
    return this.#registration?.renewMs;
  }

  /** Tries to register once, for a caller that looks at {@link standing}, or else in the background. Resolves whatever becomes of it. */
  try(isAwaited: boolean): Promise<void> {
    this.#trying ??= this.#try(isAwaited).finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  /** Goes on trying in the background until the registry has the instance. */
  goOnTrying(): void {
    if (this.#registration !== undefined || this.#ending !== undefined || this.#stop.signal.aborted) return;
    const { clock, random } = this.#options;
    const again = (): void => void this.try(false).then(() => this.goOnTrying());
    if (this.#tries === 0) {
      again();
      return;
    }
    const pauseMs = fullJitter(random, this.#tries - 1, { baseMs: retryBaseMs, capMs: maxRetryMs });
    this.#timer = clock.setTimer(again, Math.max(minRetryMs, pauseMs), false);
  }

  /** Tells the registry the present status, unless it will be told with the registration. `isAwaited`: a caller is told of a failure. */
  async tell(isAwaited: boolean): Promise<void> {
    const registration = this.#registration;
    if (registration === undefined || this.#ending !== undefined) return;
    const status = this.#options.status();
    this.#told = undefined;
    try {
      await registration.setStatus(status);
    } catch (error) {
      if (this.#ending === undefined) this.#become("failing", asError(error), { isAwaited });
      throw error;
    }
    if (this.#options.status() === status) this.#told = status;
    if (this.#ending === undefined) this.#become("registered");
  }

  async setWeight(weight: number): Promise<void> {
    const registration = this.#registration;
    if (registration !== undefined) {
      if (registration.setWeight === undefined) throw new TypeError(`${this.standing.registry} cannot change the weight of an instance`);
      await registration.setWeight(weight);
    }
    this.#instance = { ...this.#instance, weight };
  }

  /** Ends it, what is under way too. Rejects when the registry could not be told, after which it can be asked for again. */
  end(signal?: AbortSignal): Promise<void> {
    // What is left to a successor is not taken back.
    if (this.#ending === undefined) this.#stop.abort(new Error("it is deregistered"));
    // It may be under way for a caller without a signal.
    return unlessAborted(
      this.#finish(() => this.#end(signal)),
      signal,
    );
  }

  /** Ends it, and leaves the entry in the registry, where the registrar can. Rejects where the registry could not be told to remove it. */
  abandon(): Promise<void> {
    return this.#finish(() => this.#leave());
  }

  #finish(work: () => Promise<void>): Promise<void> {
    this.#options.clock.clearTimer(this.#timer);
    this.#ending ??= work().then(
      () => {
        this.#told = undefined;
        this.#become("deregistered");
      },
      (error: unknown) => {
        this.#ending = undefined;
        this.#become("failing", asError(error), { isAwaited: true });
        throw error;
      },
    );
    return this.#ending;
  }

  async #end(signal: AbortSignal | undefined): Promise<void> {
    if (this.#trying !== undefined) await unlessAborted(this.#trying, signal);
    const registration = this.#registration;
    if (registration !== undefined) await unlessAborted(registration.deregister(signal), signal);
  }

  async #leave(): Promise<void> {
    // Not cut off: an attempt that is takes back what it may have left in the registry.
    await this.#trying;
    this.#stop.abort(new Error("it is left to a successor"));
    await (this.#registration?.abandon?.() ?? this.#registration?.deregister());
  }

  async #try(isAwaited: boolean): Promise<void> {
    const { registrar, status } = this.#options;
    this.#tries++;
    const instance = { ...this.#instance, initialStatus: status() };
    try {
      const registration = await registrar.register(instance, this.#stop.signal, {
        isWaiting: isAwaited,
        status,
        onReport: (report) => this.#onReport(report),
      });
      if (typeof (registration as Partial<Registration> | undefined)?.setStatus !== "function")
        throw new TypeError(`${this.standing.registry}: register() has resolved with no registration`);
      this.#registration = registration;
      if (this.#stop.signal.aborted) {
        // Ended meanwhile, and perhaps not waited for to the end: it would be renewed for ever. end() hears of a failure.
        await registration.deregister().catch(() => {});
        return;
      }
      this.#told = registration.status;
      this.#become("registered");
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#become("failing", asError(error), { isAwaited });
      return;
    }
    // Set while the registration was under way, or not heeded by a registrar that registers all instances as up.
    if (this.#told !== status()) await this.tell(false).catch(() => {});
    if (instance.weight !== this.#instance.weight) await this.setWeight(this.#instance.weight ?? 1).catch(() => {});
  }

  #onReport({ type, error }: RegistrationReport): void {
    if (this.#stop.signal.aborted) return;
    this.#told = type === "renewed" || type === "forgotten" ? this.#registration?.status : undefined;
    if (type === "forgotten") {
      this.#become("registered", error, { lost: true });
      this.#error = undefined;
    } else this.#become(type === "renewed" ? "registered" : "failing", error, { lost: type === "replaced" });
  }

  /** Tells of a change once: a failure behind a failure is none. */
  #become(state: RegistrationState, error?: Error, { isAwaited = false, lost = false } = {}): void {
    const isChange = state !== this.#state || lost;
    this.#state = state;
    this.#error = error;
    if (!isChange) return;
    const { onChange, onFailure } = this.#options;
    onChange(this, lost);
    if (error !== undefined && !isAwaited) onFailure(error);
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeError(thrown));
}
