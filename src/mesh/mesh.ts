import type { Agent, AgentOptions } from "node:http";
import { MeshAgent } from "../bridges/agent.ts";
import { type Dispatcher, type DispatcherOptions, MeshDispatcher } from "../bridges/dispatcher.ts";
import { upgradeThrough } from "../bridges/upgrade.ts";
import { systemClock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { Observer } from "../core/observer.ts";
import { checkNumber } from "../core/options.ts";
import { outsideOfCalls } from "../core/outside-of-calls.ts";
import type { MeshReading } from "../core/reading.ts";
import { CallerZones } from "../discovery/caller-zones.ts";
import { Catalogue } from "../discovery/catalogue.ts";
import { LastGood } from "../discovery/last-good.ts";
import { fetchThrough, requestThrough } from "../fetch/fetch.ts";
import type { Reply } from "../fetch/reply.ts";
import type { FetchTarget, MeshRequestInit } from "../fetch/request-init.ts";
import { parseTarget } from "../fetch/target.ts";
import type { Instance, Registrar, Registration } from "../registration/registrar.ts";
import { channelObserver } from "../telemetry/channels.ts";
import { Observers } from "../telemetry/observing/observers.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";
import { type ClientIdentity, staticIdentity } from "../wire/client-identity.ts";
import { certificateEndOf } from "../wire/tls.ts";
import { Transport, type Upgraded } from "../wire/transport.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { checkMeshOptions, type MeshOptions, type ServiceOptions } from "./options.ts";
import { Service } from "./service.ts";
import { checkWarm, type WarmOptions } from "./warm-up.ts";

/**
 * The client side of a service mesh, inside this process. `Declared`: what may be called, checked by the compiler: names of services
 * (`"users" | "orders"`) and whole targets (`` `users/${number}` ``).
 */
export interface Mesh<Declared extends string = string> extends AsyncDisposable {
  /**
   * Calls `service/path`, like the global `fetch`, on an instance that discovery knows and the balancer chose, and again
   * on another one where that is safe.
   *
   * Resolves with a standard `Response`, whatever its status. Rejects with a {@link MeshError}, whose `maybeExecuted`
   * says whether an instance may have executed the request; with the signal's reason when the caller aborts; with a
   * `TypeError` for an init that is none.
   */
  fetch(target: FetchTarget<Declared>, init?: MeshRequestInit): Promise<Response>;
  /**
   * The same without a `Response`, for what counts every microsecond: `{ statusCode, headers, body, trailers }`, the body as it came
   * over the wire (not decoded), redirects as they are. Read the body, discard or cancel it.
   */
  request(target: FetchTarget<Declared>, init?: Omit<MeshRequestInit, "redirect">): Promise<Reply>;
  /**
   * The mesh as an undici `Dispatcher`: `setGlobalDispatcher(mesh.dispatcher())` puts plain `fetch("http://service/path")` on it,
   * and undici's `request`, `stream`, `pipeline` and `WebSocket`. Closing it closes the mesh.
   */
  dispatcher(options?: DispatcherOptions): Dispatcher;
  /**
   * The mesh as an `http.Agent` for clients built on `node:http` (axios, got, node-fetch): the host of a request is the service.
   * It balances and feeds the breakers; it cannot retry, and sets no deadline.
   */
  agent(options?: AgentOptions): Agent;
  /**
   * Makes this process known as an instance, through `registrar`, or through the discovery adapter where that is one.
   * @throws TypeError when there is no registrar.
   */
  register(instance: Instance & { readonly registrar?: Registrar }, signal?: AbortSignal): Promise<Registration>;
  /**
   * Connects to instances of a service before the first call needs them, without sending anything: call it before this process takes
   * requests. Waits for discovery's first answer (`discoveryTimeoutMs`) and for each connection (`connectTimeoutMs`), and resolves with
   * the number of instances that are connected, 0 when there are none: what cannot be reached is no error here.
   * @throws MeshError `ERR_MESH_INVALID_TARGET` for what is no service name, `ERR_MESH_CLOSED`; TypeError or RangeError for wrong options.
   */
  warm(service: string, options?: WarmOptions): Promise<number>;
  /** The names of the services that have been called and are watched. */
  services(): readonly string[];
  /** Why each endpoint of a service is or is not chosen and how old the data is; `undefined` for one that was never called. */
  explain(service: string): ServiceExplanation | undefined;
  /**
   * Takes the instance with this id out of rotation for `forMs` milliseconds (at most a day), or until {@link readmit}; `false` when the
   * service was never called or has no such instance. No limit of `ejection` holds it back: where nobody else is left, it is called anyway.
   * @throws RangeError for a wrong `forMs`.
   */
  eject(service: string, endpointId: string, options: { readonly forMs: number }): boolean;
  /** Puts an instance back at once, also one that a rule of ejection has taken out; `false` as for {@link eject}. */
  readmit(service: string, endpointId: string): boolean;
  /**
   * Adds an observer to those of the options, for what begins from now on, and returns what takes it away again (which calls its
   * `onClose`, as closing the mesh does).
   */
  observe(observer: Observer): () => void;
  /** Refuses new calls, waits for those in flight (at most `drainTimeoutMs`), then releases everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a mesh. Nothing is looked up or connected to before the first call.
 * @throws TypeError or RangeError naming the option and the value, when an option is wrong.
 */
export function createMesh<Declared extends string = string>(options: MeshOptions): Mesh<Declared> {
  checkMeshOptions(options);
  return new ClientMesh(options);
}

class ClientMesh implements Mesh {
  readonly #options: MeshOptions;
  readonly #observers: Observers;
  readonly #transport: Transport;
  readonly #catalogue: Catalogue;
  readonly #callerZones: CallerZones;
  readonly #lastGood: LastGood | undefined;
  readonly #identity: ClientIdentity;
  readonly #reading: MeshReading;
  /** In the order of their last use: the first is the one unused for longest. */
  readonly #services = new Map<string, Service>();
  readonly #overrides: ReadonlyMap<string, ServiceOptions>;
  readonly #evictions = new Set<Promise<void>>();
  #newest: Service | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(options: MeshOptions) {
    const { observers = [openTelemetry()] as readonly Observer[], clock = systemClock, connections = 256 } = options;
    this.#options = options;
    this.#overrides = new Map(Object.entries(options.services ?? {}));
    this.#observers = new Observers([...observers, channelObserver]);
    this.#catalogue = new Catalogue(options.discovery, clock);
    this.#callerZones = new CallerZones({
      discovery: options.discovery,
      clock,
      random: options.random ?? Math.random,
      onError: (service, error) => this.#observers.each((observer) => observer.onDiscoveryError?.(service, error)),
    });
    const { lastGoodDirectory: directory } = options;
    const tellError = (service: string, error: unknown) => this.#observers.each((observer) => observer.onDiscoveryError?.(service, error));
    this.#lastGood = directory === undefined ? undefined : new LastGood({ directory, clock, onError: tellError });
    this.#identity = staticIdentity(options.tls);
    this.#reading = {
      zone: options.zone,
      certificateExpiresAtMs: options.tls && certificateEndOf(options.tls),
      services: () => Array.from(this.#services.values(), (service) => service.read()),
    };
    this.#observers.each((observer) => observer.onOpen?.(this.#reading));
    this.#transport = new Transport({
      connections,
      maxRequestsPerConnection: options.maxRequestsPerConnection,
      maxConnectionAgeMs: options.maxConnectionAgeMs,
      connectTimeoutMs: options.connectTimeoutMs,
      zone: options.zone,
      bodyIdleTimeoutMs: options.bodyIdleTimeoutMs ?? 30_000,
      identity: this.#identity,
      clock,
    });
  }

  // A property, so that `const { fetch } = mesh` works as with the global one.
  readonly fetch = (target: FetchTarget, init: MeshRequestInit = {}): Promise<Response> =>
    fetchThrough(this.#dispatchOf, this.#decodeOf, target, init);

  readonly request = (target: FetchTarget, init?: Omit<MeshRequestInit, "redirect">): Promise<Reply> =>
    requestThrough(this.#dispatchOf, target, init);

  dispatcher(options?: DispatcherOptions): Dispatcher {
    return new MeshDispatcher({ dispatchOf: this.#dispatchOf, upgrade: this.#upgrade, close: () => this.close() }, options);
  }

  agent(options?: AgentOptions): Agent {
    const lease = async (service: string, method: string, path: string) =>
      this.#service(service).lease(meshRequest({ service, method, path, headers: {}, body: undefined }));
    return new MeshAgent({ lease, identity: this.#identity }, options);
  }

  readonly #upgrade = async (request: MeshRequest, protocol: string): Promise<Upgraded> =>
    upgradeThrough(this.#service(request.service), this.#transport, request, protocol);

  async register({ registrar, ...instance }: Instance & { readonly registrar?: Registrar }, signal?: AbortSignal): Promise<Registration> {
    const target = registrar ?? (this.#options.discovery as Partial<Registrar>);
    if (typeof target.register !== "function") {
      throw new TypeError(
        `register: ${this.#options.discovery.name ?? "the discovery adapter"} cannot register instances; give a registrar`,
      );
    }
    return target.register(instance, signal);
  }

  async warm(service: string, options: WarmOptions = {}): Promise<number> {
    checkWarm(options);
    return this.#service(parseTarget(service).service).warm(options);
  }

  explain(service: string): ServiceExplanation | undefined {
    return this.#services.get(service)?.explain();
  }

  services(): readonly string[] {
    return [...this.#services.keys()];
  }

  eject(service: string, endpointId: string, { forMs }: { readonly forMs: number }): boolean {
    checkNumber("eject: forMs", forMs ?? Number.NaN, 1, 86_400_000);
    return this.#services.get(service)?.eject(endpointId, forMs) ?? false;
  }

  readmit(service: string, endpointId: string): boolean {
    return this.#services.get(service)?.eject(endpointId, 0) ?? false;
  }

  observe(observer: Observer): () => void {
    return this.#observers.join(observer, this.#reading);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #dispatchOf = (name: string) => this.#service(name).dispatch;

  readonly #decodeOf = (name: string) => this.#overrides.get(name)?.decode ?? this.#options.decode;

  #service(name: string): Service {
    if (this.#newest?.name === name) return this.#newest;
    if (this.#closing !== undefined)
      throw new MeshError("ERR_MESH_CLOSED", "the mesh has been closed", { service: name, maybeExecuted: false });
    const known = this.#services.get(name);
    if (known !== undefined) this.#services.delete(name);
    else this.#makeRoom(name);
    const service = known ?? outsideOfCalls(() => this.#create(name));
    this.#services.set(name, service);
    this.#newest = service;
    return service;
  }

  #create(name: string): Service {
    const { discovery, clock = systemClock, random = Math.random } = this.#options;
    return new Service(
      name,
      { ...this.#options, ...this.#overrides.get(name) },
      {
        discovery,
        lastGood: this.#lastGood,
        catalogue: this.#catalogue,
        transport: this.#transport,
        observers: this.#observers,
        zone: this.#options.zone,
        callerZones: this.#callerZones,
        identity: this.#identity,
        clock,
        random,
      },
    );
  }

  /** Names may come from outside: without a bound each new one would leave a watch behind. */
  #makeRoom(wanted: string): void {
    const { maxServices = 128 } = this.#options;
    if (this.#services.size < maxServices) return;
    for (const [name, service] of this.#services) {
      if (service.inFlight > 0) continue;
      this.#services.delete(name);
      if (this.#newest === service) this.#newest = undefined;
      const eviction = service.close().finally(() => this.#evictions.delete(eviction));
      this.#evictions.add(eviction);
      return;
    }
    throw new MeshError(
      "ERR_MESH_OVERLOADED",
      `all ${maxServices} services that may be watched at a time have calls in flight (maxServices)`,
      {
        service: wanted,
        maybeExecuted: false,
        stack: false,
      },
    );
  }

  async #close(): Promise<void> {
    const { clock = systemClock, drainTimeoutMs = 5_000 } = this.#options;
    this.#newest = undefined;
    const services = [...this.#services.values()];
    const endAt = clock.now() + drainTimeoutMs;
    while (services.some((service) => service.inFlight > 0) && clock.now() < endAt) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 10));
    }
    // First what may still be in flight: a watch of an adapter may take its time to end.
    const watches = [...this.#evictions, ...services.map((service) => service.close())];
    this.#services.clear();
    await this.#transport.destroy();
    try {
      await Promise.all(watches);
      await this.#options.discovery.close?.();
    } finally {
      await this.#lastGood?.close();
      this.#observers.each((observer) => observer.onClose?.());
    }
  }
}
