import { type Lease, leaving } from "../attempts/lease.ts";
import { pickLease } from "../attempts/pick-lease.ts";
import { tracedLease } from "../attempts/traced-lease.ts";
import { settleWire, type WireSettings } from "../core/connection-options.ts";
import type { CallEndListener, Interceptor, MeshRequest } from "../core/dispatch.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { ServiceReading } from "../core/observing/reading.ts";
import type { Routed } from "../core/routed.ts";
import { equalValues } from "../core/settings/equal-values.ts";
import type { Receiver } from "../core/stages/stage.ts";
import type { Upstream } from "../core/upstream.ts";
import { EndpointWait } from "../discovery/endpoint-wait.ts";
import { registryState } from "../discovery/registry-state.ts";
import { watchOptions } from "../discovery/watch-options.ts";
import type { Watcher } from "../discovery/watcher.ts";
import type { Uses } from "../discovery/watching/uses.ts";
import { attemptTimeout, attemptTimeoutOption } from "../policies/attempt-timeout.ts";
import { type Authorize, authorizeOf, checkAuthorized } from "../policies/authorize.ts";
import { propagateLayer } from "../policies/propagate.ts";
import { RetryBudget } from "../policies/retry/retry-budget.ts";
import { KeptToken } from "../policies/token/kept-token.ts";
import type { CopyWay } from "../routing/mirror/copy-way.ts";
import { explainService } from "./explain.ts";
import type { ServiceExplanation } from "./explanation.ts";
import { type InstanceSettings, settleInstances } from "./instance-options.ts";
import { Instances } from "./instances.ts";
import { letGoThrough } from "./let-go.ts";
import { ByConfiguration, type ServiceConfiguration } from "./live/by-configuration.ts";
import { copiesOf } from "./live/copies-of.ts";
import { patienceBy } from "./live/patience-by.ts";
import type { PreparedStep } from "./live/prepared-step.ts";
import type { ServiceContext } from "./live/service-context.ts";
import { followCallers, watchEndpoints } from "./live/service-endpoints.ts";
import { ServicePipelines } from "./live/service-pipelines.ts";
import type { ServiceParts } from "./pipeline.ts";
import { readService } from "./reading.ts";
import type { ServiceOptions } from "./service-options.ts";
import { type WarmOptions, warmUp } from "./warm-up.ts";

/** One service as this process sees it: the watch of its endpoints, its instances, and the pipeline down to them. */
export class Service implements CallEndListener {
  readonly name: string;
  /** The protocol and the connections to its instances. */
  readonly wire: WireSettings;
  /** The name of the mesh towards its instances; `undefined` where they are told none. */
  caller: string | undefined;
  /** For copies of calls, which pass by the pipeline. */
  copies: CopyWay;
  readonly #context: ServiceContext;
  #given: { readonly options: ServiceOptions; readonly interceptors: readonly Interceptor[] };
  #settings: InstanceSettings;
  readonly #instances: Instances;
  readonly #watcher: Watcher;
  /** With `watch: "on-use"`. */
  readonly #uses: Uses | undefined;
  #authorize: Authorize | undefined;
  readonly #token: KeptToken | undefined;
  readonly #wait: EndpointWait;
  readonly #budget: RetryBudget;
  /** The parts of its layers that no option changes. */
  readonly #layerParts: Omit<ServiceParts, "interceptors" | "instanceLimit">;
  readonly #pipelines: ByConfiguration<ServicePipelines>;
  readonly #unfollowCallers: (() => Promise<void>) | undefined;
  #inFlight = 0;

  /** Interceptors of the mesh are around all services. The configuration is the one that the options are of; `undefined` where it never changes. */
  // Over 60 lines: it makes the parts of a service, each of those before, and nothing else.
  constructor(
    name: string,
    options: ServiceOptions,
    interceptors: readonly Interceptor[],
    context: ServiceContext,
    configuration?: ServiceConfiguration,
  ) {
    const { transport, observers, caller, clock, random } = context;
    const parts = { service: name, clock, random, events: observers };
    this.name = name;
    this.#context = context;
    this.#given = { options, interceptors };
    this.#settings = settleInstances(options);
    this.wire = settleWire(options);
    this.caller = propagateLayer.options.settle(options).propagateDeadline ? caller : undefined;
    this.#authorize = authorizeOf(options);
    this.#token = KeptToken.of(options.token, name, clock);
    const wire = transport.dispatch(this.wire);
    this.#instances = new Instances({
      ...parts,
      settings: this.#settings,
      patience: patienceBy(options, this.wire),
      zone: context.zone,
      peerName: this.wire.peer.name,
      // A simulation has no connections, and no health checks.
      open: (upstream, alpn, opened) =>
        transport.connector?.open(upstream, this.wire, { alpn, isForRequests: false }, opened) ?? (() => {}),
      send: attemptTimeout({ timeoutMs: attemptTimeoutOption.settle(options).attemptTimeoutMs, clock })(wire),
      letGo: caller === undefined ? undefined : letGoThrough(name, wire, caller, clock),
      release: (upstream) => transport.release(upstream),
      onStale: () => this.#watcher.refresh(),
    });
    const { watcher, uses, boundary } = watchEndpoints({
      service: name,
      options,
      wire: this.wire,
      context,
      take: (endpoints, unconfirmed) => this.#instances.update(endpoints, unconfirmed),
    });
    this.#watcher = watcher;
    this.#uses = uses;
    this.#wait = new EndpointWait({
      ...parts,
      watcher: this.#watcher,
      boundary,
      discovery: this.#discoveryName,
      discoveryTimeoutMs: watchOptions.settle(options).discoveryTimeoutMs,
      catalogue: context.catalogue,
    });
    // One budget for retries and hedges: both are extra load.
    this.#budget = new RetryBudget((options.retry || undefined)?.budget ?? {}, clock);
    const { balancer, ledger, room } = this.#instances;
    this.#layerParts = {
      ...parts,
      observers,
      caller,
      protocol: this.wire.protocol,
      maxCollectedBytes: this.wire.maxCollectedBytes,
      sharedBudget: this.#budget,
      keptToken: this.#token,
      balancer,
      ledger,
      wait: this.#wait,
    };
    const pipelines = new ServicePipelines(options, { ...this.#layerParts, interceptors, instanceLimit: room }, wire);
    this.#pipelines = new ByConfiguration(configuration, pipelines, (earlier) => {
      const given = earlier.of(name);
      const ofCall = { ...this.#layerParts, interceptors: given.interceptors, instanceLimit: this.#instances.room };
      return this.#pipelines.current.late(given.options, ofCall);
    });
    this.copies = this.#newCopies(options);
    this.#unfollowCallers = followCallers(context, this.#settings.balancing, uses, (counts) => balancer.updateCallers(counts));
    this.#watcher.start();
  }

  /**
   * Prepares the service for another configuration. It throws where the options make something that fails, and has changed nothing then. Calls that began by an
   * earlier one pass its layers; instances, circuits, limits with their queues, and the budget go on with what they know.
   */
  prepare(options: ServiceOptions, interceptors: readonly Interceptor[], configuration: ServiceConfiguration): PreparedStep {
    if (equalValues({ options, interceptors }, this.#given))
      return { commit: () => this.#pipelines.replace(configuration, this.#pipelines.current), abandon() {} };
    const isSamePicker = equalValues(options.picker, this.#given.options.picker);
    const settings = { ...settleInstances(options), ...(isSamePicker && { picker: this.#settings.picker }) };
    const instances = this.#instances.prepare(settings, patienceBy(options, this.wire), !isSamePicker);
    const next = this.#pipelines.current.next(options, { ...this.#layerParts, interceptors, instanceLimit: instances.room });
    const commit = () => {
      this.#given = { options, interceptors };
      this.#settings = settings;
      this.#authorize = authorizeOf(options);
      this.caller = propagateLayer.options.settle(options).propagateDeadline ? this.#context.caller : undefined;
      this.#budget.adjust((options.retry || undefined)?.budget ?? {});
      this.#wait.adjust(watchOptions.settle(options).discoveryTimeoutMs);
      instances.commit();
      next.commit();
      this.#pipelines.replace(configuration, next.pipelines);
      this.copies = this.#newCopies(options);
    };
    return { commit, abandon: () => next.abandon() };
  }

  /** The routes of the mesh are others. */
  forgetSubsets(): void {
    this.#instances.balancer.forgetSubsets();
  }

  #newCopies(options: ServiceOptions): CopyWay {
    const { observers, clock, transport } = this.#context;
    const { balancer, room } = this.#instances;
    const own = { authorize: this.#authorize, token: this.#token, wait: this.#wait, uses: this.#uses, caller: this.caller };
    return copiesOf({ ...own, balancer, room, observers, clock, options, wire: transport.dispatch(this.wire) });
  }

  get #discoveryName(): string {
    return this.#context.discovery.name ?? "discovery";
  }

  /** Sends a request down the pipeline of the service. */
  send(request: MeshRequest, receiver: Receiver): void {
    // Given up while an interceptor of the mesh worked: no layer must take that for a failure of the service.
    if (request.cancellation.cancelled) {
      receiver.failed(request.cancellation.reason);
      return;
    }
    if (request.call?.onEnd(this)) this.#inFlight++;
    this.#uses?.used();
    const pipelines = this.#pipelines.of(request);
    const options = request.routed?.options;
    if (options === undefined) pipelines.main.send(request, receiver);
    else pipelines.sendRouted(request, request.routed as Routed, options, receiver);
  }

  handleCallEnd(): void {
    this.#inFlight--;
  }

  /** Calls that have not settled, or whose response body is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Picks an instance for an attempt outside of the pipeline. The attempt is in flight until the lease is settled. */
  async lease(request: MeshRequest, hasOwnToken = request.headers["authorization"] !== undefined): Promise<Lease> {
    // From now on, and not from the pick: a service that has calls waiting for it is not evicted.
    this.#inFlight++;
    this.#uses?.used();
    const { tracing } = this.#context;
    const trace = tracing?.begin(request);
    try {
      // Upgrades and the agent pass by the layers.
      if (this.#authorize !== undefined) await checkAuthorized(this.#authorize, request);
      const token = hasOwnToken ? undefined : this.#token;
      const authorization = token === undefined ? undefined : await token.header(request.cancellation);
      const asked = token === undefined || token.allowPlain ? request : { ...request, requiresTls: true };
      const picked = await pickLease(asked, this.#wait, this.#instances);
      const lease = trace === undefined ? picked : tracedLease(picked, () => tracing?.tell(request, trace));
      return leaving({ ...lease, authorization }, () => this.#inFlight--);
    } catch (error) {
      this.#inFlight--;
      if (trace !== undefined) tracing?.tell(request, trace);
      throw error;
    }
  }

  /** Connects to candidates ahead of the first call. Resolves with the number of instances that are connected; never rejects. */
  async warm(options: WarmOptions): Promise<number> {
    this.#uses?.used();
    const { transport, random } = this.#context;
    const request = meshRequest({ service: this.name, method: "GET", path: "/", headers: {}, body: undefined });
    if (!this.#wait.isOver) await this.#wait.join(request).catch(() => {});
    const connect = async (upstream: Upstream) => (await transport.connect?.(upstream, this.wire)) ?? false;
    return warmUp(this.#instances.balancer.candidates, connect, options, random);
  }

  /** Explains for each endpoint why it is a candidate or is none, and how old the data is. */
  explain(): ServiceExplanation {
    const { peer } = this.wire;
    return explainService({
      service: this.name,
      discovery: this.#discoveryName,
      ageMs: this.#watcher.ageMs,
      lastError: this.#watcher.lastError,
      registry: registryState(this.#discoveryName, this.#watcher),
      leftOut: this.#watcher.leftOut,
      outside: this.#watcher.outside,
      breaker: this.read().breaker,
      unconfirmed: this.#watcher.unconfirmed,
      identity: this.#context.ownIdentity?.reading(),
      peer: { mode: peer.mode, ids: peer.id === undefined ? undefined : [peer.id].flat() },
      newestOf: (upstream) => this.#context.transport.connector?.newestOf(upstream),
      standingOf: (upstream) => this.#instances.standing(upstream),
      nowMs: this.#context.clock.wallNow(),
      now: this.#context.clock.now(),
      balancer: this.#instances.balancer,
      picker: this.#instances.picker,
      canaries: this.#context.canariesOf?.(this.name) ?? [],
    });
  }

  /** The numbers of the service and of its layers. */
  read(): ServiceReading {
    const reading = readService({
      service: this.name,
      inFlight: this.#inFlight,
      balancer: this.#instances.balancer,
      picker: this.#instances.picker,
      unconfirmed: this.#watcher.unconfirmed.length,
      ageMs: this.#watcher.ageMs,
      registry: registryState(this.#discoveryName, this.#watcher),
      retryBudget: this.#budget.left,
    });
    return Object.assign(reading, this.#pipelines.current.read());
  }

  /** Takes the instance with this id out of rotation for `forMs` milliseconds, or puts it back with 0; `false` where there is none. */
  eject(id: string, forMs: number): boolean {
    return this.#instances.eject(id, forMs);
  }

  /** Ends the watch, and releases all timers and connections. */
  async close(): Promise<void> {
    this.#instances.stopChecks();
    this.#wait.close();
    await Promise.all([this.#watcher.stop(), this.#unfollowCallers?.()]);
    this.#pipelines.current.dispose();
    this.#instances.dispose((upstream) => this.#context.transport.release(upstream));
  }
}
