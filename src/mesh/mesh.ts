import type { Agent, AgentOptions } from "node:http";
import { MeshAgent } from "../bridges/agent.ts";
import { type AnyDispatcher, type Dispatcher, type DispatcherOptions, MeshDispatcher } from "../bridges/dispatcher.ts";
import { type UpgradeParts, upgradeThrough } from "../bridges/upgrade.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Observer } from "../core/observing/observer.ts";
import type { MeshReading } from "../core/observing/reading.ts";
import type { CanaryReading } from "../core/observing/routes/canary-reading.ts";
import { bindObservers, serversOf } from "../core/observing/served-mesh.ts";
import { checkNumber } from "../core/settings/checks.ts";
import { bindDoor } from "../core/stages/mesh-door.ts";
import { dispatchOf, type Send } from "../core/stages/stage.ts";
import { CallerZones } from "../discovery/caller-zones.ts";
import { Catalogue } from "../discovery/catalogue.ts";
import type { LastGood } from "../discovery/last-good/last-good.ts";
import { release } from "../discovery/release.ts";
import { describedRequest } from "../fetch/described-request.ts";
import { fetchThrough, requestThrough } from "../fetch/fetch.ts";
import type { Reply } from "../fetch/reply.ts";
import type { FetchTarget, MeshRequestInit } from "../fetch/request-init.ts";
import { parseTarget } from "../fetch/target.ts";
import { Canaries } from "../routing/canary/canaries.ts";
import type { CanaryControl } from "../routing/canary/canary-control.ts";
import { explainRoute } from "../routing/explain-route.ts";
import type { RouteExplanation } from "../routing/route-explanation.ts";
import { channelObserver } from "../telemetry/channels.ts";
import { CallTracing } from "../telemetry/observing/call-tracing.ts";
import { Observers } from "../telemetry/observing/observers.ts";
import { OwnIdentity } from "../wire/identity/own-identity.ts";
import { Transport } from "../wire/transport.ts";
import type { Upgraded } from "../wire/upgrade-handler.ts";
import type { Mesh } from "./api/mesh-api.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { lastGoodOf } from "./last-good-of.ts";
import { randomCaller } from "./let-go.ts";
import { bindConfiguration } from "./live/configuration-of.ts";
import { LiveConfiguration } from "./live/live-configuration.ts";
import { type ChangedOptions, checkMeshOptions, type MeshOptions, type MeshSettings, settleMesh } from "./mesh-options.ts";
import { Registrations } from "./registrations.ts";
import { Service } from "./service.ts";
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

/** How long an explanation waits for the first routes, in milliseconds. */
const routesTimeoutMs = 10_000;

class ClientMesh implements Mesh {
  readonly #settings: MeshSettings;
  readonly #observers: Observers;
  readonly #transport: Transport;
  readonly #lastGood: LastGood | undefined;
  readonly #reading: MeshReading;
  readonly #services: Services;
  readonly #registrations: Registrations;
  readonly #canaries: Canaries;
  readonly #live: LiveConfiguration;
  #closing: Promise<void> | undefined = undefined;

  // Over 60 lines: it makes the parts of a mesh, each of those before, and nothing else.
  constructor(options: MeshOptions) {
    const settings = settleMesh(options);
    const { discovery, clock, zone } = settings;
    this.#settings = settings;
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
      canariesOf: (service: string) => this.#canaries.readings(service),
      callerZones: new CallerZones({ discovery, clock, random: settings.random, onError: this.#onDiscoveryError }),
      clock,
      random: settings.random,
    };
    this.#services = new Services({
      maxServices: settings.maxServices,
      isOwnName: (name) => this.#live.current.isOwnName(name),
      onDrop: (name) => this.#lastGood?.forget(name),
      ...shared,
      create: (name) => {
        const { current } = this.#live;
        const { options: own, interceptors } = current.of(name);
        return new Service(name, own, interceptors, shared, current);
      },
    });
    this.#canaries = new Canaries({ clock, events: this.#observers, state: settings.canaryState, processName: shared.caller });
    this.#live = new LiveConfiguration(options, {
      ...shared,
      canaries: this.#canaries,
      send: this.#services.route,
      sendCopy: this.#services.copy,
      services: () => this.#services,
      closedError: (service) => (this.#closing === undefined ? undefined : closedError(service)),
    });
    bindConfiguration(this, this.#live);
    this.#registrations = new Registrations({ ...settings, observers: this.#observers });
    this.#reading = identity.readWith({
      zone,
      services: () => this.#services.all.map((service) => service.read()),
      instances: (service) => this.explain(service)?.endpoints ?? [],
      routes: () => this.#live.current.routing?.read() ?? [],
      registrations: () => this.#registrations.read(),
      canaries: () => this.canaries(),
      servers: () => serversOf(this),
      configuration: () => this.#live.read(),
    });
    this.#observers.each((observer) => observer.onOpen?.(this.#reading));
    bindDoor(this, {
      send: this.#send,
      upgrade: this.#upgrade,
      ruleOf: (request) => this.#live.current.routing?.ruleOf(request),
      ruleNames: () => {
        const { routing } = this.#live.current;
        return routing === undefined ? [] : routing.ruleNames();
      },
    });
  }

  // A bound function, so that `const { fetch } = mesh` works.
  readonly fetch = (target: FetchTarget, init: MeshRequestInit = {}): Promise<Response> =>
    fetchThrough(this.#live.current.send, this.#live.current.limitsOf, target, init);

  readonly request = (target: FetchTarget, init?: Omit<MeshRequestInit, "redirect">): Promise<Reply> =>
    requestThrough(this.#live.current.send, target, init);

  dispatcher(options?: DispatcherOptions): AnyDispatcher {
    const target = { dispatch: dispatchOf(this.#send), upgrade: this.#upgrade, close: () => this.close() };
    return new MeshDispatcher(target, options) as Dispatcher as AnyDispatcher;
  }

  agent(options?: AgentOptions): Agent {
    const { connector, idle } = this.#transport;
    const live = this.#live;
    const target = {
      serviceOf: (name: string) => this.#serviceOf(name),
      // Asked at each request, since routes may come and go.
      get route() {
        const { current } = live;
        const { routing } = current;
        return routing && ((one: MeshRequest) => routing.byAgent(current.allowed(one)));
      },
      connector,
      idle,
      clock: this.#settings.clock,
    };
    return new MeshAgent(target, options);
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
    return this.#canaries.of(rule);
  }

  canaries(): readonly CanaryReading[] {
    return this.#canaries.readings();
  }

  async route(target: FetchTarget, init?: MeshRequestInit): Promise<RouteExplanation> {
    const { current } = this.#live;
    const request = current.allowed(describedRequest(target, init));
    return (await current.routing?.explain(request, routesTimeoutMs)) ?? explainRoute(undefined, request);
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

  reconfigure(options: ChangedOptions): readonly string[] {
    return this.#live.reconfigure(options, { source: "mesh.reconfigure" });
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

  /** Sends a call by the configuration in force, for doors that are made once. */
  readonly #send: Send = (request, receiver) => this.#live.current.send(request, receiver);

  readonly #upgrade = async (request: MeshRequest, protocol: string): Promise<Upgraded> => {
    const { current } = this.#live;
    const { routing, upgradeDeadline: deadline } = current;
    const route: UpgradeParts["route"] = routing && ((one, inner) => routing.upgrade(current.allowed(one), inner));
    const serviceOf = (name: string) => this.#serviceOf(name);
    return await upgradeThrough({ serviceOf, route, transport: this.#transport, deadline }, request, protocol);
  };

  /** The service of a name that was not given to the pipeline, which checks names itself. */
  #serviceOf(name: string): Service | Promise<Service> {
    const refusal = this.#live.current.refusalOf(name);
    if (refusal !== undefined) throw refusal;
    return this.#services.of(name) ?? this.#services.ofCatalogue(name);
  }

  readonly #onDiscoveryError = (service: string, error: unknown): void =>
    this.#observers.emit?.({ type: "discovery-error", service, error });

  async #close(): Promise<void> {
    const { clock, discovery } = this.#settings;
    const { drainTimeoutMs } = settleMesh(this.#live.current.options);
    // First, so that callers stop choosing this process while it still answers.
    const deregistered = this.#registrations.close();
    this.#live.current.routing?.close();
    await this.#services.drain(clock, drainTimeoutMs);
    await deregistered;
    // Connections are ended first: the watch of an adapter may take long to end.
    const watches = this.#services.close();
    await this.#transport.destroy();
    try {
      await watches;
      await release(clock, "the state that canaries share", () => this.#canaries.close());
      await release(clock, discovery.name ?? "the discovery adapter", () => discovery.close?.());
    } finally {
      await release(clock, "the directory of the last good endpoints", () => this.#lastGood?.close());
      this.#observers.each((observer) => observer.onClose?.());
    }
  }
}
