import type { Endpoint } from "../core/endpoint.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { type ListedEndpoint, readEndpoints } from "../discovery/file/service-list.ts";
import type { Instance, Registrar, Registration, RegistrationOwner } from "../registration/registrar.ts";
import { MemoryRegistrations, memoryEndpointOf } from "./memory-registrations.ts";
import { MemoryStore } from "./memory-store.ts";

/** See {@link memoryRegistry}. */
export interface MemoryRegistry extends Discovery, Registrar {
  /** Replaces all instances of `service`. An empty list makes the service unknown. */
  set(service: string, endpoints: readonly ListedEndpoint[]): void;
  /** Adds an instance, in place of one with the same id. Returns it with its id. */
  add(service: string, endpoint: ListedEndpoint): Endpoint;
  /** Removes the instance with this id; `false` when there is none. */
  remove(service: string, id: string): boolean;
  /** The instances that are listed now. */
  endpoints(service: string): readonly Endpoint[];
  /** From now on every watch throws `error`, and registering is refused. What is listed stays for {@link heal}. */
  fail(error?: Error): void;
  /** Ends {@link fail}. */
  heal(): void;
  /** Loses all data, as a registry that is restarted without its disk. Live registrations come back in a later turn of the event loop. */
  forget(): void;
  /** The number of open watches: 0 once everything that used the registry has been closed. */
  readonly watches: number;
  /** Yields the current set, then the set after each change. */
  watch(service: string, signal: AbortSignal): AsyncGenerator<readonly Endpoint[], void, undefined>;
  /** The services that have an instance. */
  services(signal?: AbortSignal): Promise<readonly string[]>;
  /** Resolves once the instance is listed; it is never renewed, since nothing here expires. */
  register(instance: Instance, signal?: AbortSignal, owner?: RegistrationOwner): Promise<Registration>;
  readonly emptyPolicy: "trust";
  readonly allowSocketPaths: true;
}

/**
 * A registry in memory, discovery and registrar in one: for tests and demonstrations. Watches yield a change within the same turn of the
 * event loop; several changes in a row may reach them as one. They yield changes only, so the age of the data is that of the last change.
 */
export function memoryRegistry(): MemoryRegistry {
  const store = new MemoryStore();
  const registrations = new MemoryRegistrations(store);
  return {
    name: "memory registry",
    emptyPolicy: "trust",
    allowSocketPaths: true,
    get watches() {
      return store.watches;
    },
    watch: (service, signal) => store.watch(service, signal),
    services: async () => store.services(),
    callersKnowAfterMs: 0,
    check: (instance) => void memoryEndpointOf(instance),
    register: (instance, signal, owner) => registrations.register(instance, signal, owner),
    set: (service, endpoints) => store.replace(service, readEndpoints(endpoints, `memoryRegistry: ${service}`)),
    add(service, endpoint) {
      const [added] = readEndpoints([endpoint], `memoryRegistry: ${service}`) as [Endpoint];
      store.put(service, added);
      return added;
    },
    remove: (service, id) => store.remove(service, (endpoint) => endpoint.id === id),
    endpoints: (service) => store.endpoints(service),
    fail: (error = new Error("the memory registry was told to fail")) => store.fail(error),
    heal() {
      store.heal();
      registrations.restore();
    },
    forget() {
      store.clear();
      registrations.forget();
      // In a later turn, so that a watch sees the loss first, as it would with a registry that waits for the next heartbeat.
      setImmediate(() => registrations.restore());
    },
  };
}
