import { outsideOfCalls } from "../core/async-context.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { dispatchOf, type Send, settleWith } from "../core/stages/stage.ts";
import type { Catalogue } from "../discovery/catalogue.ts";
import type { SendCopy, SentCopy } from "../routing/mirror/copy.ts";
import { FirstWatches } from "./first-watches.ts";
import type { Service } from "./service.ts";

/** The error of a call through a closed mesh. */
export function closedError(service: string): MeshError {
  return new MeshError("ERR_MESH_CLOSED", "the mesh has been closed", { service, maybeExecuted: false });
}

/** The error of a call that names no service, where no route has led it to one. */
function unrouted(): MeshError {
  return new MeshError("ERR_MESH_INVALID_TARGET", "no route leads this call to a service", { maybeExecuted: false, stack: false });
}

/** The limits of {@link Services}, the factory of a service, and what is known of names beforehand. */
export interface ServicesOptions {
  readonly maxServices: number;
  readonly create: (name: string) => Service;
  /** Told of a service that is dropped. */
  readonly onDrop?: (name: string) => void;
  /** Whether the program itself has named this service, in its options. */
  readonly isOwnName: (name: string) => boolean;
  readonly catalogue: Pick<Catalogue, "lists">;
  readonly clock: Clock;
}

/** Services without endpoints that are kept while no call is in flight to them, and that may be watched beside `maxServices` that have some. */
const maxUnlisted = 32;

/**
 * The services that a mesh watches, made when they are first called. Names may come from outside, and each new one starts a watch. Beyond
 * `maxServices`, the least recently used service without calls in flight is dropped; one that discovery has ever listed an endpoint of never
 * makes room for one of which it has not.
 */
export class Services {
  readonly #options: ServicesOptions;
  /** Those that have had an endpoint, in the order of their last use, the least recently used first. */
  readonly #listed = new Map<string, Service>();
  /** Those that have never had one, in the same order. */
  readonly #unlisted = new Map<string, Service>();
  readonly #maxUnlisted: number;
  readonly #firstWatches: FirstWatches;
  readonly #evictions = new Set<Promise<void>>();
  #newest: Service | undefined = undefined;
  #isClosed = false;

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#maxUnlisted = Math.min(maxUnlisted, options.maxServices);
    this.#firstWatches = new FirstWatches(options.maxServices, options.clock);
  }

  /** Passes a call to its service. Refusals are failures: interceptors above see them as such. */
  readonly route: Send = (request, receiver) => {
    let service: Service | undefined;
    try {
      service = this.of(request.service);
    } catch (error) {
      receiver.failed(error);
      return;
    }
    if (service !== undefined) service.send(request, receiver);
    else settleWith(this.#dispatchListed(request), receiver);
  };

  /** Sends the copy of a call to its service, which it may have to make. */
  readonly copy: SendCopy = (copy, receiver) => settleWith(this.#copy(copy), receiver);

  async #copy(copy: SentCopy): Promise<MeshResponse> {
    const { request, original } = copy;
    if (request.service !== original.service) {
      const called = this.get(original.service);
      if (called === undefined) throw refusal("the call that is copied was refused", original.service);
      await called.copies.checkAuthorized(original);
    }
    const service = this.of(request.service) ?? (await this.ofCatalogue(request.service));
    return service.copies.send(copy);
  }

  async #dispatchListed(request: MeshRequest): Promise<MeshResponse> {
    const service = await this.ofCatalogue(request.service);
    return dispatchOf((one, receiver) => service.send(one, receiver))(request);
  }

  /**
   * The service of this name, made where it is not watched yet; `undefined` where too many names that discovery has never listed have been called of late, so
   * that {@link ofCatalogue} is to be asked.
   * @throws MeshError `ERR_MESH_CLOSED`; `ERR_MESH_OVERLOADED` where all services that may be watched have calls in flight.
   */
  of(name: string): Service | undefined {
    if (this.#newest?.name === name) return this.#newest;
    const known = this.#used(name);
    if (known !== undefined) return known;
    if (name === "") throw unrouted();
    if (!this.#options.isOwnName(name) && !this.#firstWatches.take()) return undefined;
    this.#makeRoom(name);
    return this.#begin(name);
  }

  /**
   * The service of this name where the registry's catalogue has it, however many unknown names have been called.
   * Rejects with `ERR_MESH_NO_ENDPOINTS` where it has not, with `ERR_MESH_OVERLOADED` where there is no catalogue, and like {@link of}.
   */
  async ofCatalogue(name: string): Promise<Service> {
    const isListed = await this.#options.catalogue.lists(name);
    const known = this.#used(name);
    if (known !== undefined) return known;
    if (isListed) {
      this.#makeRoom(name);
      return this.#begin(name);
    }
    const flood = "too many services that discovery has never listed have been called of late (maxServices)";
    if (isListed === undefined) throw refusal(flood, name);
    const message = `"${name}" has no endpoints: the catalogue of the registry does not have it, and ${flood}`;
    throw new MeshError("ERR_MESH_NO_ENDPOINTS", message, { service: name, maybeExecuted: false, stack: false });
  }

  /** The service of this name; `undefined` where it is not watched. */
  get(name: string): Service | undefined {
    return this.#listed.get(name) ?? this.#unlisted.get(name);
  }

  /** All services that are watched. */
  get all(): readonly Service[] {
    return [...this.#listed.values(), ...this.#unlisted.values()];
  }

  /** To be called when discovery lists an endpoint of the service. */
  noteListed(name: string): void {
    const service = this.#unlisted.get(name);
    if (service === undefined) return;
    this.#unlisted.delete(name);
    this.#listed.set(name, service);
    this.#firstWatches.giveBack();
    for (const [other, candidate] of this.#listed) {
      if (this.#listed.size <= this.#options.maxServices) break;
      if (candidate !== service && candidate.inFlight === 0) this.#drop(this.#listed, other);
    }
  }

  /** Refuses all further calls, and waits for those in flight, for at most `limitMs` milliseconds. */
  async drain(clock: Clock, limitMs: number): Promise<void> {
    this.#isClosed = true;
    this.#newest = undefined;
    const services = this.all;
    const endAt = clock.now() + limitMs;
    while (services.some((service) => service.inFlight > 0) && clock.now() < endAt) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 10));
    }
  }

  /** Ends every watch. */
  async close(): Promise<void> {
    const closing = [...this.#evictions, ...this.all.map((service) => service.close())];
    this.#listed.clear();
    this.#unlisted.clear();
    await Promise.all(closing);
  }

  /** The service of this name as the most recently used; `undefined` where it is not watched. */
  #used(name: string): Service | undefined {
    if (this.#isClosed) throw closedError(name);
    const services = this.#listed.has(name) ? this.#listed : this.#unlisted;
    const service = services.get(name);
    if (service === undefined) return undefined;
    services.delete(name);
    services.set(name, service);
    this.#newest = service;
    return service;
  }

  #begin(name: string): Service {
    const service = outsideOfCalls(() => this.#options.create(name));
    this.#unlisted.set(name, service);
    this.#newest = service;
    return service;
  }

  /** Makes room for one more service without endpoints, and sees to it that there is a place for it once it has some. */
  #makeRoom(wanted: string): void {
    const { maxServices } = this.#options;
    for (const [name, service] of this.#unlisted) {
      if (this.#unlisted.size < this.#maxUnlisted) break;
      if (service.inFlight === 0) this.#drop(this.#unlisted, name);
    }
    const isFull = this.#listed.size >= maxServices && [...this.#listed.values()].every(({ inFlight }) => inFlight > 0);
    if (!isFull && this.#unlisted.size < Math.max(maxServices - this.#listed.size, this.#maxUnlisted)) return;
    throw refusal(`all ${maxServices} services that may be watched at a time have calls in flight (maxServices)`, wanted);
  }

  #drop(services: Map<string, Service>, name: string): void {
    const service = services.get(name);
    if (service === undefined) return;
    services.delete(name);
    if (this.#newest === service) this.#newest = undefined;
    this.#options.onDrop?.(name);
    const eviction = service.close().finally(() => this.#evictions.delete(eviction));
    this.#evictions.add(eviction);
  }
}

function refusal(message: string, service: string): MeshError {
  return new MeshError("ERR_MESH_OVERLOADED", message, { service, maybeExecuted: false, stack: false });
}
