import type { Clock, Random } from "../core/clock.ts";
import { describeError, isMeshError, MeshError } from "../core/errors.ts";
import { type RegistrationState, registrationStates } from "../core/observing/registration-state.ts";
import { checkChoice, maxTimerMs } from "../core/settings/checks.ts";
import { Condition } from "./condition.ts";
import { HealthWatch } from "./health-watch.ts";
import type { MeshRegistration, RegistryStanding } from "./mesh-registration.ts";
import type { RegistrationSettings } from "./register-options.ts";
import { type Instance, type InstanceStatus, instanceStatuses, type Registrar } from "./registrar.ts";
import { checkWeight } from "./registration-keeper.ts";
import { RegistryRegistration } from "./registry-registration.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** A change of a registration at one registry. */
export interface RegistrationChange {
  readonly registration: JointRegistration;
  readonly standing: RegistryStanding;
  /** Whether the registry had lost the instance, or has given its id to another process. */
  readonly lost: boolean;
}

/** Options of a {@link JointRegistration}. */
export interface JointRegistrationOptions {
  readonly instance: Instance;
  readonly registrars: readonly Registrar[];
  readonly settings: RegistrationSettings;
  /** Called after each change. Does not throw. */
  readonly onChange: (change: RegistrationChange) => void;
  /** Called with what no caller is told of: a failure in the background, a `health` that does not answer as it should. Does not throw. */
  readonly onTrouble: (registration: JointRegistration, text: string) => void;
  /** Called once it has ended at all registries. Does not throw. */
  readonly onEnd: (registration: JointRegistration) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const maxHealthIntervalMs = 5_000;
/** Time after which a deregistration that failed says nothing of the registry any more, in milliseconds. */
const forgottenMs = 5_000;

/** One instance at several registries, and the status of its program and of `health`. */
export class JointRegistration implements MeshRegistration {
  readonly #options: JointRegistrationOptions;
  readonly #parts: readonly RegistryRegistration[];
  readonly #health: HealthWatch | undefined;
  /** The status that the program has set. */
  #own: InstanceStatus;
  readonly #settled = new Condition(() => this.#isEnded || this.state === "registered");
  #isEnded = false;
  /** The last deregistration that failed. */
  #lastTry = { endedAt: Number.NEGATIVE_INFINITY, ms: 0 };

  constructor(options: JointRegistrationOptions) {
    this.#options = options;
    const { instance, registrars, settings, clock, random } = options;
    const { initialStatus, health, healthTimeoutMs } = settings;
    this.#own = initialStatus ?? "up";
    this.#parts = registrars.map(
      (registrar) =>
        new RegistryRegistration({
          registrar,
          instance,
          status: () => this.status,
          onChange: (part, lost) => this.#onChange(part, lost),
          onFailure: (error) => options.onTrouble(this, reasonOf(error)),
          clock,
          random,
        }),
    );
    this.#health =
      health &&
      new HealthWatch(health, {
        timeoutMs: healthTimeoutMs,
        intervalMs: () => this.#healthIntervalMs(),
        onChange: (reason) => this.#onHealth(reason),
        clock,
      });
  }

  get service(): string {
    return this.#options.instance.service;
  }

  get id(): string {
    const { id, service, host, port } = this.#options.instance;
    const accepted = this.#parts.map((part) => part.id).find((each) => each !== undefined);
    return accepted ?? id ?? [service, host, port].filter((each) => each !== undefined).join("-");
  }

  get status(): InstanceStatus {
    return this.#own === "up" ? (this.#health?.status ?? "up") : this.#own;
  }

  get registries(): readonly RegistryStanding[] {
    return this.#parts.map(({ standing }) => standing);
  }

  get state(): RegistrationState {
    const states = this.registries.map(({ state }) => state);
    return registrationStates.find((state) => states.includes(state)) ?? "pending";
  }

  get callersKnowAfterMs(): number | undefined {
    const known = this.registries.flatMap(({ callersKnowAfterMs }) => callersKnowAfterMs ?? []);
    return known.length === 0 ? undefined : Math.max(...known);
  }

  /**
   * Registers for the first time. Resolves once every registry has been tried and at least one has taken the instance; the others are tried
   * on. With `keepTrying` it begins and resolves at once. Rejects with the failure, or with the signal's reason.
   */
  async begin(signal: AbortSignal | undefined): Promise<this> {
    signal?.throwIfAborted();
    const onAbort = (): void => void this.deregister().catch(() => {});
    signal?.addEventListener("abort", onAbort, { once: true });
    const begun = this.#begin();
    const { keepTrying } = this.#options.settings;
    const settled = (keepTrying ? this.#settled.when() : begun).finally(() => signal?.removeEventListener("abort", onAbort));
    begun.catch(() => {});
    if (keepTrying) settled.catch(() => {});
    else await unlessAborted(settled, signal);
    return this;
  }

  async whenRegistered(signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // The tries in the background keep no process alive; a caller that waits for them does.
    const hold = clock.setTimer(() => {}, maxTimerMs);
    try {
      await this.#settled.when(signal);
    } finally {
      clock.clearTimer(hold);
    }
    if (this.#isEnded) throw this.#endedError();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    checkChoice(`the status of ${this.id}`, status ?? null, instanceStatuses);
    if (this.#isEnded) throw this.#endedError();
    this.#own = status;
    await this.#atEach("telling the status of", (part) => part.tell(true));
  }

  async setWeight(weight: number): Promise<void> {
    checkWeight(this.id, weight);
    if (this.#isEnded) throw this.#endedError();
    await this.#atEach("changing the weight of", (part) => part.setWeight(weight));
  }

  async abandon(): Promise<void> {
    this.#end();
    await this.#atEach("leaving", (part) => part.abandon());
    this.#options.onEnd(this);
  }

  async deregister(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#end();
    const { clock } = this.#options;
    const startedAt = clock.now();
    try {
      await this.#atEach("deregistering", (part) => part.end(signal));
    } catch (error) {
      this.#lastTry = { endedAt: clock.now(), ms: clock.now() - startedAt };
      throw signal?.aborted ? signal.reason : error;
    }
    this.#options.onEnd(this);
  }

  /** The time that its registries have just had to take a deregistration which they did not take, in milliseconds; 0 where there was none of late. */
  get waitedMs(): number {
    const { endedAt, ms } = this.#lastTry;
    return this.#options.clock.now() - endedAt < forgottenMs ? ms : 0;
  }

  /** {@link deregister}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  #end(): void {
    this.#isEnded = true;
    this.#health?.stop();
    this.#settled.changed();
  }

  async #begin(): Promise<void> {
    // An instance that is not ready is not registered as if it were.
    if (this.#health !== undefined) await this.#health.start();
    const { keepTrying } = this.#options.settings;
    if (!keepTrying) {
      if (!this.#isEnded) await Promise.all(this.#parts.map((part) => part.try(true)));
      if (this.#isEnded) throw this.#endedError();
      if (this.#parts.every((part) => part.id === undefined)) {
        const failures = this.registries;
        await this.deregister().catch(() => {});
        throw this.#errorOf("registering", failures);
      }
    }
    if (this.#isEnded) return;
    for (const part of this.#parts) {
      const { error } = part.standing;
      if (error !== undefined) this.#options.onTrouble(this, reasonOf(error));
      part.goOnTrying();
    }
  }

  /** Does something at each registry, all at once. Rejects when all have ended, with the failure, or with the list of them. */
  async #atEach(doing: string, act: (part: RegistryRegistration) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled(this.#parts.map(act));
    const failures = results.flatMap((result, index) =>
      result.status === "fulfilled" ? [] : [{ registry: this.registries[index]?.registry ?? "", error: result.reason as unknown }],
    );
    if (failures.length > 0) throw this.#errorOf(doing, failures);
  }

  #errorOf(doing: string, failures: readonly { readonly registry: string; readonly error: unknown }[]): unknown {
    const [first] = failures;
    // The registrar's own error, which names the registry.
    if (this.#parts.length === 1) return first?.error;
    const list = failures.map(({ registry, error }) => `${registry}: ${reasonOf(error)}`).join("; ");
    const cause = new AggregateError(
      failures.map(({ error }) => error),
      list,
    );
    return new MeshError(
      "ERR_MESH_REGISTRATION",
      `${doing} ${this.id} failed at ${failures.length} of ${this.#parts.length} registries: ${list}`,
      {
        service: this.service,
        cause,
      },
    );
  }

  #endedError(): MeshError {
    return new MeshError("ERR_MESH_REGISTRATION", `${this.id}: it is deregistered`, { service: this.service });
  }

  #healthIntervalMs(): number {
    const { healthIntervalMs } = this.#options.settings;
    if (healthIntervalMs !== undefined) return healthIntervalMs;
    const renewals = this.#parts.map(({ renewMs }) => 0.9 * (renewMs ?? Number.POSITIVE_INFINITY));
    return Math.min(maxHealthIntervalMs, ...renewals);
  }

  #onHealth(reason: string | undefined): void {
    if (reason !== undefined) this.#options.onTrouble(this, `health counts as down: ${reason}`);
    // What cannot be told now is told with the next renewal.
    for (const part of this.#parts) void part.tell(false).catch(() => {});
  }

  #onChange(part: RegistryRegistration, lost: boolean): void {
    const { standing } = part;
    this.#options.onChange({ registration: this, standing, lost });
    if (standing.state === "registered") this.#health?.reschedule();
    this.#settled.changed();
  }
}

/** The message of an error; not its code, where it is the one of every registration. */
function reasonOf(error: unknown): string {
  return isMeshError(error) ? error.message : describeError(error);
}
