import type { Agent, AgentOptions } from "node:http";
import { MeshAgent } from "../bridges/agent.ts";
import { type AnyDispatcher, type Dispatcher, type DispatcherOptions, MeshDispatcher } from "../bridges/dispatcher.ts";
import { upgradeThrough } from "../bridges/upgrade.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import type { CanaryReading } from "../core/observing/canary-reading.ts";
import type { Observer } from "../core/observing/observer.ts";
import type { MeshReading } from "../core/observing/reading.ts";
import { bindObservers, serversOf } from "../core/observing/served-mesh.ts";
import { checkNumber } from "../core/settings/checks.ts";
import { bindDoor } from "../core/stages/mesh-door.ts";
import { dispatchOf, interceptorOf, type Send } from "../core/stages/stage.ts";
import { CallerZones } from "../discovery/caller-zones.ts";
import { Catalogue } from "../discovery/catalogue.ts";
import type { LastGood } from "../discovery/last-good/last-good.ts";
import { type EdgeLimits, fetchThrough, requestThrough } from "../fetch/fetch.ts";
import type { Reply } from "../fetch/reply.ts";
import type { FetchTarget, MeshRequestInit } from "../fetch/request-init.ts";
import { parseTarget } from "../fetch/target.ts";
import { deadline, timeoutOption } from "../policies/deadline.ts";
import type { CanaryControl } from "../routing/canary/canary-control.ts";
import { Routing } from "../routing/routing.ts";
import { channelObserver } from "../telemetry/channels.ts";
import { CallTracing } from "../telemetry/observing/call-tracing.ts";
import { Observers } from "../telemetry/observing/observers.ts";
import { OwnIdentity } from "../wire/identity/own-identity.ts";
import { Transport } from "../wire/transport.ts";
import type { Upgraded } from "../wire/upgrade-handler.ts";
import type { Mesh } from "./api/mesh-api.ts";
import { edgeLimits } from "./edge-limits.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { lastGoodOf } from "./last-good-of.ts";
import { randomCaller } from "./let-go.ts";
import { checkMeshOptions, type MeshOptions, type MeshSettings, refusalOfRoute, settleMesh } from "./mesh-options.ts";
import { callPipeline } from "./pipeline.ts";
import { Registrations } from "./registrations.ts";
import { Service } from "./service.ts";
import { ServiceNames } from "./service-names.ts";
import { type ServiceOptions, withOverrides } from "./service-options.ts";
import { closedError, Services } from "./services.ts";
import { checkWarm, type WarmOptions } from "./warm-up.ts";

export type { Mesh } from "./api/mesh-api.ts";

/**
 * Makes a mesh. Before the first call, no service is looked up and no connection is made.
 * @throws TypeError or RangeError for a wrong option, naming the option and the value.
 */
export function createMesh<const Declared extends string = string>(options: MeshOptions<Declared>): Mesh<Declared> {
  checkMeshOptions(options);
  return new ClientMesh(options);
}

/** The longest time of an upgrade up to its answer, in milliseconds. */
const upgradeTimeoutMs = 10_000;

class ClientMesh implements Mesh {
  readonly #settings: MeshSettings;
  readonly #observers: Observers;
  readonly #transport: Transport;
  readonly #lastGood: LastGood | undefined;
  readonly #reading: MeshReading;
  readonly #services: Services;
  readonly #routing: Routing | undefined;
  readonly #registrations: Registrations;
  readonly #names: ServiceNames;
  readonly #overrides: ReadonlyMap<string, ServiceOptions | undefined>;
  /** Sends a call down the pipeline. */
  readonly #send: Send;
  readonly #upgradeDeadline: Interceptor;
  readonly #limitsOf: (service: string) => EdgeLimits;
  #closing: Promise<void> | undefined = undefined;

  // Over 60 lines: it makes the parts of a mesh, each of those before, and nothing else.
  constructor(options: MeshOptions) {
    const settings = settleMesh(options);
    const { discovery, clock, zone } = settings;
    this.#settings = settings;
    this.#names = new ServiceNames(settings.serviceNames);
    this.#overrides = new Map(Object.entries(settings.services));
    this.#observers = new Observers([...settings.observers, channelObserver]);
    bindObservers(this, this.#observers);
    this.#lastGood = lastGoodOf(settings, this.#onDiscoveryError);
    const identity = new OwnIdentity(settings);
    this.#transport = new Transport({ zone, clock, random: settings.random, identity: identity.client });
    const shared = {
      discovery,
      lastGood: this.#lastGood,
      onListed: (service: string) => this.#services.noteListed(service),
      catalogue: new Catalogue(discovery, clock),
      transport: this.#transport,
      ownIdentity: identity,
      observers: this.#observers,
      tracing: new CallTracing({ ...settings, events: this.#observers }),
      caller: randomCaller(),
      zone,
      canariesOf: (service: string) => this.#routing?.canaries.readings(service) ?? [],
      callerZones: new CallerZones({ discovery, clock, random: settings.random, onError: this.#onDiscoveryError }),
      clock,
      random: settings.random,
    };
    this.#services = new Services({
      maxServices: settings.maxServices,
      isOwnName: (name) => settings.serviceNames !== undefined || this.#overrides.has(name) || this.#routing?.leadsTo(name) === true,
      onDrop: (name) => this.#lastGood?.forget(name),
      ...shared,
      create: (name) => {
        const own = this.#overrides.get(name);
        return new Service(name, withOverrides(options, own), own?.interceptors ?? [], shared);
      },
    });
    const { routes } = settings;
    this.#routing =
      routes &&
      new Routing(routes, {
        ...settings,
        events: this.#observers,
        send: this.#services.route,
        sendCopy: this.#services.copy,
        refusalOf: refusalOfRoute(this.#names),
        processName: shared.caller,
        onTable: () => {
          for (const service of this.#services.all) service.forgetSubsets();
        },
      });
    this.#registrations = new Registrations({ ...settings, observers: this.#observers });
    this.#reading = identity.readWith({
      zone,
      services: () => this.#services.all.map((service) => service.read()),
      instances: (service) => this.explain(service)?.endpoints ?? [],
      registrations: () => this.#registrations.read(),
      canaries: () => this.canaries(),
      servers: () => serversOf(this),
    });
    this.#observers.each((observer) => observer.onOpen?.(this.#reading));
    const limit = timeoutOption.settle(options).timeoutMs;
    const limitOf = ({ service }: MeshRequest) => this.#overrides.get(service)?.timeoutMs ?? limit;
    const limitOfUpgrade = (request: MeshRequest) => Math.min(limitOf(request) || upgradeTimeoutMs, upgradeTimeoutMs);
    this.#upgradeDeadline = interceptorOf(deadline({ limitOf: limitOfUpgrade, clock }));
    const send = callPipeline({
      observers: this.#observers,
      clock,
      limitOf,
      interceptors: options.interceptors ?? [],
      route: this.#routing?.send ?? this.#services.route,
    });
    // Above the interceptors, which may answer calls by themselves.
    this.#send = (request, receiver) => {
      const refusal = this.#refusalOf(request.service);
      if (refusal === undefined) shared.tracing.send(request, receiver, send);
      else receiver.failed(refusal);
    };
    this.#limitsOf = edgeLimits(options, this.#overrides, clock);
    const routing = this.#routing;
    bindDoor(this, {
      send: this.#send,
      upgrade: this.#upgrade,
      ruleOf: (request) => routing?.ruleOf(request),
      ruleNames: () => (routing === undefined ? [] : routing.ruleNames()),
    });
  }

  // A bound function, so that `const { fetch } = mesh` works.
  readonly fetch = (target: FetchTarget, init: MeshRequestInit = {}): Promise<Response> =>
    fetchThrough(this.#send, this.#limitsOf, target, init);

  readonly request = (target: FetchTarget, init?: Omit<MeshRequestInit, "redirect">): Promise<Reply> =>
    requestThrough(this.#send, target, init);

  dispatcher(options?: DispatcherOptions): AnyDispatcher {
    const target = { dispatch: dispatchOf(this.#send), upgrade: this.#upgrade, close: () => this.close() };
    return new MeshDispatcher(target, options) as Dispatcher as AnyDispatcher;
  }

  agent(options?: AgentOptions): Agent {
    const { connector, idle } = this.#transport;
    const routing = this.#routing;
    const serviceOf = (name: string) => this.#serviceOf(name);
    const route = routing && ((one: MeshRequest) => routing.byAgent(this.#allowed(one)));
    return new MeshAgent({ serviceOf, route, connector, idle, clock: this.#settings.clock }, options);
  }

  readonly register: Mesh["register"] = (instance, signal) => this.#registrations.register(instance, signal);

  async warm(service: string, options: WarmOptions = {}): Promise<number> {
    checkWarm(options);
    const watched = await this.#serviceOf(parseTarget(service).service);
    return watched.warm(options);
  }

  explain(service: string): ServiceExplanation | undefined {
    return this.#services.get(service)?.explain();
  }

  canary(rule: string): CanaryControl | undefined {
    return this.#routing?.canaries.of(rule);
  }

  canaries(): readonly CanaryReading[] {
    return this.#routing?.canaries.readings() ?? [];
  }

  services(): readonly string[] {
    return this.#services.all.map(({ name }) => name);
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

  /** The error of a call that may not be made: the mesh is closed, or its options do not list the service. */
  #refusalOf(service: string): Error | undefined {
    return this.#closing === undefined ? this.#names.refusalOf(service, "call") : closedError(service);
  }

  readonly #upgrade = (request: MeshRequest, protocol: string): Promise<Upgraded> => {
    const routing = this.#routing;
    return upgradeThrough(
      {
        serviceOf: (name) => this.#serviceOf(name),
        route: routing && ((one, inner) => routing.upgrade(this.#allowed(one), inner)),
        transport: this.#transport,
        deadline: this.#upgradeDeadline,
      },
      request,
      protocol,
    );
  };

  /** The request, whose service may be called: routes are asked of no others. */
  #allowed(request: MeshRequest): MeshRequest {
    const refusal = this.#refusalOf(request.service);
    if (refusal !== undefined) throw refusal;
    return request;
  }

  /** The service of a name that was not given to the pipeline, which checks names itself. */
  #serviceOf(name: string): Service | Promise<Service> {
    const refusal = this.#refusalOf(name);
    if (refusal !== undefined) throw refusal;
    return this.#services.of(name) ?? this.#services.ofCatalogue(name);
  }

  readonly #onDiscoveryError = (service: string, error: unknown): void =>
    this.#observers.emit?.({ type: "discovery-error", service, error });

  async #close(): Promise<void> {
    const { clock, drainTimeoutMs, discovery } = this.#settings;
    // First, so that callers stop choosing this process while it still answers.
    const deregistered = this.#registrations.close();
    this.#routing?.close();
    await this.#services.drain(clock, drainTimeoutMs);
    await deregistered;
    // Connections are ended first: the watch of an adapter may take long to end.
    const watches = this.#services.close();
    await this.#transport.destroy();
    try {
      await watches;
      await this.#routing?.canaries.close();
      await discovery.close?.();
    } finally {
      await this.#lastGood?.close();
      this.#observers.each((observer) => observer.onClose?.());
    }
  }
}
