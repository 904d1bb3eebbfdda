import { keepRegistered } from "../../src/registration/keep-registered.ts";
import type { Instance, Registrar, Registration, RegistrationOwner } from "../../src/registration/registrar.ts";
import type { RegistrationKeeper } from "../../src/registration/registration-keeper.ts";
import type { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedEntry } from "./scripted-entry.ts";

/** A registrar whose registry answers as a test says, in virtual time. */
export class ScriptedRegistrar implements Registrar {
  readonly name: string;
  readonly callersKnowAfterMs?: number;
  readonly entry: ScriptedEntry;
  /** What it was asked to register. */
  readonly instances: Instance[] = [];
  keeper: RegistrationKeeper | undefined = undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, name = "scripted", { renewMs = 10_000, callersKnowAfterMs = undefined as number | undefined } = {}) {
    this.#clock = clock;
    this.name = name;
    if (callersKnowAfterMs !== undefined) this.callersKnowAfterMs = callersKnowAfterMs;
    this.entry = new ScriptedEntry(renewMs);
  }

  check({ service }: Instance): void {
    if (service === "") throw new TypeError(`${this.name}: service is empty`);
  }

  async register(instance: Instance, signal?: AbortSignal, owner?: RegistrationOwner): Promise<Registration> {
    this.instances.push(instance);
    const options = { registerTimeoutMs: 1_000, clock: this.#clock, random: () => 1, initialStatus: instance.initialStatus, owner };
    this.keeper = await keepRegistered(this.entry, options, signal);
    return this.keeper;
  }

  /** From now on every call fails. */
  fail(message = "down"): void {
    this.entry.script = () => {
      throw new Error(message);
    };
  }

  heal(): void {
    this.entry.script = () => "known";
  }
}
