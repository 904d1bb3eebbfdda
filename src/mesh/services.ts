import { MeshError } from "../core/errors.ts";
import { outsideOfCalls } from "../core/outside-of-calls.ts";
import type { Service } from "./service.ts";

/** The error of a call through a closed mesh. */
export function closedError(service: string): MeshError {
  return new MeshError("ERR_MESH_CLOSED", "the mesh has been closed", { service, maybeExecuted: false });
}

/** The limit of {@link Services}, and the factory of a service. */
export interface ServicesOptions {
  readonly maxServices: number;
  readonly create: (name: string) => Service;
}

/**
 * The services that a mesh watches, made when they are first called. Names may come from outside, and each new one starts a watch: beyond
 * `maxServices`, the least recently used service without calls in flight is dropped.
 */
export class Services {
  readonly #options: ServicesOptions;
  /** In the order of their last use, the least recently used first. */
  readonly #services = new Map<string, Service>();
  readonly #evictions = new Set<Promise<void>>();
  #newest: Service | undefined = undefined;
  #isClosed = false;

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /**
   * The service of this name, made where it is not watched yet.
   * @throws MeshError `ERR_MESH_CLOSED`; `ERR_MESH_OVERLOADED` where all services that may be watched have calls in flight.
   */
  of(name: string): Service {
    if (this.#newest?.name === name) return this.#newest;
    if (this.#isClosed) throw closedError(name);
    const known = this.#services.get(name);
    if (known !== undefined) this.#services.delete(name);
    else this.#makeRoom(name);
    const service = known ?? outsideOfCalls(() => this.#options.create(name));
    this.#services.set(name, service);
    this.#newest = service;
    return service;
  }

  /** The service of this name; `undefined` where it is not watched. */
  get(name: string): Service | undefined {
    return this.#services.get(name);
  }

  /** All services that are watched. */
  get all(): readonly Service[] {
    return [...this.#services.values()];
  }

  /** Refuses all further calls; calls in flight go on. */
  refuse(): void {
    this.#isClosed = true;
    this.#newest = undefined;
  }

  /** Ends every watch. */
  async close(): Promise<void> {
    const closing = [...this.#evictions, ...this.all.map((service) => service.close())];
    this.#services.clear();
    await Promise.all(closing);
  }

  #makeRoom(wanted: string): void {
    const { maxServices } = this.#options;
    if (this.#services.size < maxServices) return;
    for (const [name, service] of this.#services) {
      if (service.inFlight > 0) continue;
      this.#services.delete(name);
      if (this.#newest === service) this.#newest = undefined;
      const eviction = service.close().finally(() => this.#evictions.delete(eviction));
      this.#evictions.add(eviction);
      return;
    }
    const message = `all ${maxServices} services that may be watched at a time have calls in flight (maxServices)`;
    throw new MeshError("ERR_MESH_OVERLOADED", message, { service: wanted, maybeExecuted: false, stack: false });
  }
}
