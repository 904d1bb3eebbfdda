import type { Endpoint } from "../core/endpoint.ts";
import { describeError, MeshError } from "../core/errors.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { type ListedEndpoint, readEndpoints } from "../discovery/file/service-list.ts";
import { Notifier } from "../discovery/notifier.ts";
import type { Instance, InstanceStatus, Registrar, Registration } from "../registration/registrar.ts";

/** See {@link memoryRegistry}. */
export interface MemoryRegistry extends Discovery, Registrar {
  /** Makes these the instances of `service`, all of them. An empty list makes the service unknown. */
  set(service: string, endpoints: readonly ListedEndpoint[]): void;
  /** Adds an instance, in place of one with the same id. Returns it with its id. */
  add(service: string, endpoint: ListedEndpoint): Endpoint;
  /** Removes the instance with this id; `false` when there is none. */
  remove(service: string, id: string): boolean;
  /** What is listed now. */
  endpoints(service: string): readonly Endpoint[];
  /** From now on every watch throws `error`, and registering is refused. What is listed stays for {@link heal}. */
  fail(error?: Error): void;
  /** Ends {@link fail}. */
  heal(): void;
  /** Loses all data, as a registry that is restarted without its disk. Live registrations come back in a later turn of the event loop. */
  forget(): void;
  /** Watches that are open now: 0 once everything that used the registry has been closed. */
  readonly watches: number;
  watch(service: string, signal: AbortSignal): AsyncGenerator<readonly Endpoint[], void, undefined>;
  services(signal?: AbortSignal): Promise<readonly string[]>;
  readonly emptyPolicy: "trust";
}

/**
 * A registry in memory, discovery and registrar in one: for tests and demonstrations. Watchers are told of a change within
 * the same turn of the event loop; several changes in a row may reach them as one. They are told of changes only, so the age
 * of the data is that of the last one.
 */
export function memoryRegistry(): MemoryRegistry {
  const lists = new Map<string, readonly Endpoint[]>();
  const live = new Set<LiveRegistration>();
  const changes = new Notifier();
  let failure: Error | undefined;
  let isForgetful = false;
  let watches = 0;

  const endpointsOf = (service: string): readonly Endpoint[] => lists.get(service) ?? none;
  const replace = (service: string, endpoints: readonly Endpoint[]): void => {
    if (endpoints.length === 0) lists.delete(service);
    else lists.set(service, endpoints);
    changes.notify();
  };
  const put = (service: string, endpoint: Endpoint): void => {
    replace(service, [...endpointsOf(service).filter(({ id }) => id !== endpoint.id), endpoint]);
  };
  const take = (service: string, isGone: (endpoint: Endpoint) => boolean): boolean => {
    const rest = endpointsOf(service).filter((endpoint) => !isGone(endpoint));
    const isFound = rest.length < endpointsOf(service).length;
    if (isFound) replace(service, rest);
    return isFound;
  };
  const check = (what: string, service: string): void => {
    if (failure === undefined) return;
    const message = `memory registry: cannot ${what} ${service}: ${describeError(failure)}`;
    throw new MeshError("ERR_MESH_REGISTRATION", message, { service, cause: failure });
  };

  const renew = (): void => {
    if (failure || !isForgetful) return;
    isForgetful = false;
    for (const registration of live) registration.renew();
  };

  return {
    name: "memory registry",
    emptyPolicy: "trust",
    get watches() {
      return watches;
    },
    async *watch(service, signal) {
      watches += 1;
      try {
        let seen: readonly Endpoint[] | undefined;
        while (!signal.aborted) {
          if (failure) throw failure;
          const current = endpointsOf(service);
          if (current === seen) {
            await changes.wait(signal);
          } else {
            seen = current;
            yield current;
          }
        }
      } finally {
        watches -= 1;
      }
    },
    async services() {
      if (failure) throw failure;
      return [...lists.keys()];
    },
    async register(instance, signal) {
      signal?.throwIfAborted();
      const { service } = instance;
      const endpoint = endpointOf(instance);
      check("register", service);
      const registration = new LiveRegistration(
        endpoint,
        (status) => {
          check("update", service);
          if (status === "up") put(service, endpoint);
          else take(service, (listed) => listed === endpoint);
        },
        () => {
          check("deregister", service);
          live.delete(registration);
          take(service, (listed) => listed === endpoint);
        },
      );
      live.add(registration);
      put(service, endpoint);
      return registration;
    },
    set(service, endpoints) {
      replace(service, readEndpoints(endpoints, `memoryRegistry: ${service}`));
    },
    add(service, endpoint) {
      const [added] = readEndpoints([endpoint], `memoryRegistry: ${service}`) as [Endpoint];
      put(service, added);
      return added;
    },
    remove: (service, id) => take(service, (endpoint) => endpoint.id === id),
    endpoints: endpointsOf,
    fail(error = new Error("the memory registry was told to fail")) {
      failure = error;
      changes.notify();
    },
    heal() {
      failure = undefined;
      changes.notify();
      renew();
    },
    forget() {
      lists.clear();
      isForgetful = true;
      changes.notify();
      // Later, so that a watcher sees the loss first, as it would with a heartbeat.
      setImmediate(renew);
    },
  };
}

/** One array for every unknown service, so that a watcher sees that nothing has changed. */
const none: readonly Endpoint[] = Object.freeze([]);

class LiveRegistration implements Registration {
  readonly id: string;
  readonly #announce: (status: InstanceStatus) => void;
  readonly #leave: () => void;
  #status: InstanceStatus = "up";
  #isGone = false;

  constructor(endpoint: Endpoint, announce: (status: InstanceStatus) => void, leave: () => void) {
    this.id = endpoint.id;
    this.#announce = announce;
    this.#leave = leave;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  /** What a heartbeat does when the registry answers that it knows no such instance. */
  renew(): void {
    this.#announce(this.#status);
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    this.#status = status;
    if (!this.#isGone) this.#announce(status);
  }

  async deregister(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isGone) return;
    this.#leave();
    this.#isGone = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }
}

function endpointOf(instance: Instance): Endpoint {
  const { service, port, host = "127.0.0.1", id = `${service}-${host}-${port}`, secure, weight, zone, metadata } = instance;
  if (typeof service !== "string" || service === "")
    throw new TypeError(`memoryRegistry: service must be a name, got ${JSON.stringify(service)}`);
  const [endpoint] = readEndpoints([{ id, host, port, secure, weight, zone, metadata }], `memoryRegistry: ${service}`);
  return endpoint as Endpoint;
}
