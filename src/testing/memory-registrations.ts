import { systemClock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError, MeshError } from "../core/errors.ts";
import { quoted } from "../core/text/clean-text.ts";
import { readEndpoints } from "../discovery/file/service-list.ts";
import { entryNameRule, isEntryName } from "../registration/entry-name.ts";
import { keepRegistered } from "../registration/keep-registered.ts";
import type { Instance, InstanceStatus, Registration, RegistrationOwner } from "../registration/registrar.ts";
import type { RegistrationKeeper } from "../registration/registration-keeper.ts";
import type { EntryAction, EntryCall, Recognition, RegistryEntry } from "../registration/registry-entry.ts";
import type { MemoryStore } from "./memory-store.ts";

/** The live registrations of a registry in memory. */
export class MemoryRegistrations {
  readonly #store: MemoryStore;
  readonly #keepers = new Map<RegistryEntry, RegistrationKeeper>();
  #isForgotten = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  /** Lists an instance until its registration is disposed. */
  async register(instance: Instance, signal: AbortSignal | undefined, owner: RegistrationOwner | undefined): Promise<Registration> {
    const entry = new MemoryEntry(this.#store, instance, () => this.#keepers.delete(entry));
    // No clock is used: the first attempt is the only one, and an entry that never expires has no timer.
    const keeper = await keepRegistered(
      entry,
      { registerTimeoutMs: 0, initialStatus: instance.initialStatus, owner, clock: systemClock, random: Math.random },
      signal,
    );
    this.#keepers.set(entry, keeper);
    return keeper;
  }

  /** Notes that the registry has lost its data. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Has every live registration renewed if the registry has lost its data and does not fail. */
  restore(): void {
    if (this.#store.failure !== undefined || !this.#isForgotten) return;
    this.#isForgotten = false;
    for (const keeper of this.#keepers.values()) void keeper.renew();
  }
}

const doing: Readonly<Record<EntryAction, string>> = {
  register: "register",
  report: "update",
  reweigh: "reweigh",
  renew: "renew",
  withdraw: "deregister",
};

class MemoryEntry implements RegistryEntry {
  readonly id: string;
  readonly renewMs = Number.POSITIVE_INFINITY;
  readonly #store: MemoryStore;
  readonly #service: string;
  #endpoint: Endpoint;
  readonly #onWithdrawn: () => void;

  constructor(store: MemoryStore, instance: Instance, onWithdrawn: () => void) {
    this.#store = store;
    this.#service = instance.service;
    this.#endpoint = memoryEndpointOf(instance);
    this.#onWithdrawn = onWithdrawn;
    this.id = this.#endpoint.id;
  }

  async announce(status: InstanceStatus): Promise<void> {
    this.#list(status);
  }

  async report(status: InstanceStatus): Promise<Recognition> {
    this.#list(status);
    return "known";
  }

  /** Lists the instance again where it is missing. */
  renew(status: InstanceStatus): Promise<Recognition> {
    return this.report(status);
  }

  async reweigh(weight: number, status: InstanceStatus): Promise<Recognition> {
    this.#throwIfFailing();
    const former = this.#endpoint;
    this.#endpoint = { ...former, weight };
    if (status === "up") this.#store.put(this.#service, this.#endpoint);
    return "known";
  }

  async withdraw({ signal }: EntryCall): Promise<void> {
    signal?.throwIfAborted();
    this.#throwIfFailing();
    this.#remove();
    this.#onWithdrawn();
  }

  isRefusal(): boolean {
    return true;
  }

  errorOf(action: EntryAction, cause: unknown): MeshError {
    const message = `memory registry: cannot ${doing[action]} ${this.#service}: ${describeError(cause)}`;
    return new MeshError("ERR_MESH_REGISTRATION", message, { service: this.#service, cause });
  }

  #list(status: InstanceStatus): void {
    this.#throwIfFailing();
    if (status === "up") this.#store.put(this.#service, this.#endpoint);
    else this.#remove();
  }

  /** Leaves an instance alone that was registered later under the same id. */
  #remove(): void {
    this.#store.remove(this.#service, (listed) => listed === this.#endpoint);
  }

  #throwIfFailing(): void {
    if (this.#store.failure !== undefined) throw this.#store.failure;
  }
}

/** The endpoint of an instance; throws a `TypeError` or `RangeError` that names the wrong field and its value. */
export function memoryEndpointOf(instance: Instance): Endpoint {
  const { service, port, host = "127.0.0.1", id = `${service}-${host}-${port}`, secure, weight, zone, metadata } = instance;
  if (!isEntryName(service)) throw new TypeError(`memoryRegistry: service must be ${entryNameRule}, got ${quoted(service)}`);
  if (!isEntryName(id)) throw new TypeError(`memoryRegistry: id must be ${entryNameRule}, got ${quoted(id)}`);
  const [endpoint] = readEndpoints([{ id, host, port, secure, weight, zone, metadata }], `memoryRegistry: ${service}`);
  return endpoint as Endpoint;
}
