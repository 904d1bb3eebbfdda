import type { RegistrationState } from "../core/observing/registration-state.ts";
import { checkChoice, checkInteger } from "../core/settings/checks.ts";
import type { MeshRegistration, RegistryStanding } from "../registration/mesh-registration.ts";
import { type InstanceStatus, instanceStatuses } from "../registration/registrar.ts";

/** Status and weight that the program has set on the registration of its server; `undefined` where it has not. */
export interface ProgramState {
  readonly status?: InstanceStatus | undefined;
  readonly weight?: number | undefined;
}

/** Options of a {@link ServedInstance}. */
export interface ServedInstanceOptions {
  readonly registration: MeshRegistration;
  /** The state that the program has set so far, with which the instance has been registered. */
  readonly state: ProgramState;
  /** Whether its server leaves already. */
  readonly isLeaving: boolean;
  /** Whether the registration has been given up before the registries had it. */
  readonly isGivenUp: () => boolean;
  /** Called when the program has set something. Resolves when a successor would know it, and never rejects. */
  readonly onChange: (state: ProgramState) => Promise<void>;
}

/**
 * The registration of a server, as its program has it. What the program sets is told apart from what leaving does, so that a successor gets the one and not
 * the other; and nothing that the program sets makes callers come back to a server that leaves.
 */
export class ServedInstance implements MeshRegistration {
  readonly #registration: MeshRegistration;
  readonly #isGivenUp: () => boolean;
  readonly #onChange: (state: ProgramState) => Promise<void>;
  #state: ProgramState;
  #isLeaving: boolean;

  constructor({ registration, state, isLeaving, isGivenUp, onChange }: ServedInstanceOptions) {
    this.#registration = registration;
    this.#isGivenUp = isGivenUp;
    this.#state = state;
    this.#isLeaving = isLeaving;
    this.#onChange = onChange;
  }

  get service(): string {
    return this.#registration.service;
  }

  get id(): string {
    return this.#registration.id;
  }

  get status(): InstanceStatus {
    return this.#registration.status;
  }

  get state(): RegistrationState {
    return this.#registration.state;
  }

  get registries(): readonly RegistryStanding[] {
    return this.#registration.registries;
  }

  get callersKnowAfterMs(): number | undefined {
    return this.#registration.callersKnowAfterMs;
  }

  whenRegistered(signal?: AbortSignal): Promise<void> {
    return this.#registration.whenRegistered(signal);
  }

  /** As {@link MeshRegistration.setStatus}; once the server leaves, the registries hear of it from a successor alone. */
  async setStatus(status: InstanceStatus): Promise<void> {
    checkChoice(`the status of ${this.id}`, status ?? null, instanceStatuses);
    const known = this.#change({ status });
    // Where it cannot be told, the registries get it with the next renewal.
    if (!this.#isLeaving || this.state === "deregistered") await this.#registration.setStatus(status);
    await known;
  }

  async setWeight(weight: number): Promise<void> {
    await this.#registration.setWeight(weight);
    await this.#change({ weight });
  }

  /** Takes the instance out of service for good, as its server leaves. */
  leave(): Promise<void> {
    this.#isLeaving = true;
    // By the program, its mesh, or the stop itself: there is nothing left to tell.
    if (this.state === "deregistered" || this.#isGivenUp()) return Promise.resolve();
    return this.#registration.setStatus("out-of-service");
  }

  deregister(signal?: AbortSignal): Promise<void> {
    return this.#registration.deregister(signal);
  }

  abandon(): Promise<void> {
    return this.#registration.abandon();
  }

  /** {@link deregister}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  #change(change: ProgramState): Promise<void> {
    this.#state = { ...this.#state, ...change };
    return this.#onChange(this.#state);
  }
}

/** A {@link ProgramState} as text. */
export function programStateText({ status, weight }: ProgramState): string {
  return JSON.stringify({ status, weight });
}

/** The state in a text of {@link programStateText}; nothing where it is none, or absent. */
export function programStateOf(text: string | undefined): ProgramState {
  if (text === undefined) return {};
  try {
    const { status, weight } = JSON.parse(text) as ProgramState;
    checkChoice("status", status, instanceStatuses);
    checkInteger("weight", weight, 1, 65_535);
    return { status, weight };
  } catch {
    return {};
  }
}
