import type { Clock, Random } from "../core/clock.ts";
import { describeError, MeshError } from "../core/errors.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { RegistrationReading } from "../core/observing/reading.ts";
import { cleanText } from "../core/text/clean-text.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { advertisedHost } from "../registration/advertised-host.ts";
import { JointRegistration, type RegistrationChange } from "../registration/joint-registration.ts";
import type { MeshRegistration } from "../registration/mesh-registration.ts";
import { checkRegisterOptions, type RegisterOptions, registrationOptions } from "../registration/register-options.ts";
import type { Instance, Registrar } from "../registration/registrar.ts";

/** The parts of a mesh that its registrations use. */
export interface RegistrationsOptions {
  readonly discovery: Discovery;
  readonly zone: string | undefined;
  readonly observers: EventSink;
  readonly clock: Clock;
  readonly random: Random;
}

/** Longest time for which the end of a mesh waits for registries, in milliseconds. */
const closeTimeoutMs = 2_000;

/** The instances that a mesh keeps registered. */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #all = new Set<JointRegistration>();
  #isClosed = false;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  async register(given: RegisterOptions, signal: AbortSignal | undefined): Promise<MeshRegistration> {
    checkRegisterOptions(given);
    signal?.throwIfAborted();
    if (this.#isClosed) throw new MeshError("ERR_MESH_CLOSED", "register: the mesh is closed", { service: String(given.service) });
    const { zone, clock, random } = this.#options;
    const registrars = this.#registrarsOf(given);
    const settings = registrationOptions.settle(given);
    const { registrar, keepTrying, health, healthTimeoutMs, healthIntervalMs, host, ...fields } = given;
    const instance: Instance = {
      ...fields,
      ...(host === undefined ? {} : { host: advertisedHost(host) }),
      ...(fields.zone === undefined && zone !== undefined ? { zone } : {}),
    };
    // All of them first: what one refuses is registered nowhere.
    for (const each of registrars) each.check?.(instance);
    const registration = new JointRegistration({
      instance,
      registrars,
      settings,
      onChange: (change) => this.#onChange(change),
      onTrouble: ({ service, id }, text) => warn(`${id}, an instance of ${service}: ${text}`),
      onEnd: (ended) => this.#all.delete(ended),
      clock,
      random,
    });
    this.#all.add(registration);
    return await registration.begin(signal);
  }

  read(): readonly RegistrationReading[] {
    return [...this.#all].flatMap(({ service, id, registries }) =>
      registries.map(({ registry, state }) => ({ service, id, registry, state })),
    );
  }

  /**
   * Ends all of them, within two seconds, and lets none begin. A registry that has had this time just before, and was given up, is not waited for again.
   * Never rejects: what a registry could not be told is a warning.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((registration) => this.#end(registration)));
  }

  async #end(registration: JointRegistration): Promise<void> {
    const { clock } = this.#options;
    const limitMs = closeTimeoutMs - registration.waitedMs;
    const stop = new AbortController();
    const late = (): void => stop.abort(new Error(`no answer within ${closeTimeoutMs} ms`));
    if (limitMs <= 0) late();
    const timer = clock.setTimer(late, Math.max(0, limitMs));
    try {
      await registration.deregister(stop.signal);
    } catch (error) {
      warn(`${registration.id}, an instance of ${registration.service}, stays registered until it expires: ${describeError(error)}`);
    } finally {
      clock.clearTimer(timer);
    }
  }

  #registrarsOf({ registrar }: RegisterOptions): readonly Registrar[] {
    if (registrar !== undefined) return Array.isArray(registrar) ? [...registrar] : [registrar as Registrar];
    const { discovery } = this.#options;
    const own = discovery as Partial<Registrar>;
    if (typeof own.register !== "function")
      throw new TypeError(`register: ${discovery.name ?? "the discovery adapter"} cannot register instances; give a registrar`);
    return [own as Registrar];
  }

  #onChange({ registration: { service, id }, standing: { registry, state, error }, lost }: RegistrationChange): void {
    this.#options.observers.emit?.({ type: "registration", service, id, registry, state, lost, error });
  }
}

function warn(text: string): void {
  process.emitWarning(`inmesh: ${cleanText(text)}`, "MeshRegistrationWarning");
}
