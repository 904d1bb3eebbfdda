import { balance } from "../attempts/balance.ts";
import { type Lease, leaseFrom } from "../attempts/lease.ts";
import { Balancer } from "../balancer/balancer.ts";
import type { Picker } from "../balancer/picker.ts";
import { adaptive } from "../balancer/pickers/adaptive.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch, MeshRequest } from "../core/dispatch.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { Protocol } from "../core/protocol.ts";
import type { ServiceReading } from "../core/reading.ts";
import type { Upstream } from "../core/upstream.ts";
import type { CallerZones } from "../discovery/caller-zones.ts";
import type { Catalogue } from "../discovery/catalogue.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { EndpointWait } from "../discovery/endpoint-wait.ts";
import type { LastGood } from "../discovery/last-good.ts";
import { Watcher } from "../discovery/watcher.ts";
import { attemptTimeout } from "../policies/attempt-timeout.ts";
import { type ConcurrencyLimiter, concurrencyLimit } from "../policies/concurrency/concurrency-limit.ts";
import { type InstanceLimit, instanceLimit } from "../policies/concurrency/instance-limit.ts";
import { deadline } from "../policies/deadline.ts";
import { delimitedBody } from "../policies/delimited-body.ts";
import { hedge } from "../policies/hedge/hedge.ts";
import { propagate } from "../policies/propagate.ts";
import { retry } from "../policies/retry/retry.ts";
import { RetryBudget } from "../policies/retry/retry-budget.ts";
import { type ServiceBreaker, serviceBreaker } from "../policies/service-breaker.ts";
import { throttle } from "../policies/throttle.ts";
import { healthCheckProbe } from "../rotation/health/health-check.ts";
import { HealthChecks } from "../rotation/health/health-checks.ts";
import { OperatorHolds } from "../rotation/operator-holds.ts";
import { UpstreamBreakers } from "../rotation/upstream-breaker.ts";
import { hooksOf } from "../telemetry/observing/hooks.ts";
import { observeAttempts, observeCalls } from "../telemetry/observing/observe.ts";
import type { Observers } from "../telemetry/observing/observers.ts";
import { type ClientIdentity, staticIdentity } from "../wire/client-identity.ts";
import type { Transport } from "../wire/transport.ts";
import { explainService } from "./explain.ts";
import type { ServiceExplanation } from "./explanation.ts";
import type { ServiceOptions } from "./options.ts";
import { pipeline } from "./pipeline.ts";
import { readService } from "./reading.ts";
import { type WarmOptions, warmUp } from "./warm-up.ts";

/** What the services of one mesh share. */
export interface ServiceContext {
  readonly discovery: Discovery;
  readonly lastGood?: LastGood | undefined;
  readonly catalogue: Catalogue;
  /** All that a service needs of it, so that a simulation can put another in its place. */
  readonly transport: Pick<Transport, "dispatch" | "release"> & Partial<Pick<Transport, "connect">>;
  readonly observers: Observers;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly callerZones?: CallerZones;
  /** For the health checks, which make connections of their own. */
  readonly identity?: ClientIdentity;
  readonly clock: Clock;
  readonly random: Random;
}

/** One service as this process sees it: a watch, a balancer, breakers and the pipeline over them. */
export class Service {
  readonly name: string;
  /** Sends a request down the service's pipeline. */
  readonly dispatch: Dispatch;
  readonly #context: ServiceContext;
  readonly #wait: EndpointWait;
  readonly #protocol: Protocol;
  readonly #watcher: Watcher;
  readonly #balancer: Balancer;
  readonly #picker: Picker;
  readonly #breaker: ServiceBreaker | undefined;
  readonly #upstreamBreakers: UpstreamBreakers;
  /** The same where they judge calls: with `breaker: false` they do what health checks and operators say and no more. */
  readonly #callBreakers: UpstreamBreakers | undefined;
  readonly #operator: OperatorHolds;
  readonly #healthChecks: HealthChecks | undefined;
  readonly #budget: RetryBudget;
  readonly #limiter: ConcurrencyLimiter | undefined;
  readonly #instanceLimit: InstanceLimit | undefined;
  readonly #unfollowCallers: (() => Promise<void>) | undefined;
  #inFlight = 0;

  constructor(name: string, options: ServiceOptions, context: ServiceContext) {
    const { discovery, transport, observers, clock, random } = context;
    const {
      picker: pickers = adaptive(),
      timeoutMs = 10_000,
      attemptTimeoutMs = 2_000,
      discoveryTimeoutMs = 1_000,
      breaker = {},
      healthCheck = false,
      protocol = "h1",
      hedge: hedging = false,
      concurrency = false,
      throttle: throttling = false,
    } = options;
    const hooks = hooksOf(observers, name);
    this.name = name;
    this.#context = context;
    this.#protocol = protocol;
    const send = attemptTimeout({ timeoutMs: attemptTimeoutMs, clock })(transport.dispatch(protocol, options.isolation));
    const picker = pickers.forService?.(name, { clock, random, send }) ?? pickers;
    this.#picker = picker;
    this.#balancer = new Balancer({
      ...options,
      service: name,
      picker,
      zone: context.zone,
      clock,
      random,
      onAvailability: (upstream) => {
        // Others may have joined the subset in its place.
        if (options.subset) this.#healthChecks?.update(this.#balancer.members);
        this.#instanceLimit?.fill();
        hooks.onAvailability(upstream);
      },
      onRemoved: (upstream) => {
        this.#upstreamBreakers.forget(upstream);
        this.#operator.forget(upstream);
        transport.release(upstream);
      },
    });
    this.#watcher = new Watcher({
      discovery,
      service: name,
      clock,
      random,
      emptyPolicy: options.emptyPolicy,
      lastGood: context.lastGood,
      onUpdate: (update) => {
        this.#balancer.update(update.endpoints);
        this.#instanceLimit?.fill();
        this.#healthChecks?.update(this.#balancer.members);
        hooks.onEndpoints(update);
      },
      onError: hooks.onDiscoveryError,
    });
    this.#wait = new EndpointWait({
      service: name,
      watcher: this.#watcher,
      discovery: discovery.name ?? "discovery",
      discoveryTimeoutMs,
      catalogue: context.catalogue,
      clock,
    });
    if (breaker !== false) {
      this.#breaker = serviceBreaker({ ...breaker, service: name, clock, random, onState: hooks.onServiceBreaker });
    }
    const breakers = new UpstreamBreakers({
      ...(breaker || undefined),
      clock,
      random,
      onState: hooks.onUpstreamBreaker,
      onEjection: hooks.onEjection,
      upstreams: () => this.#balancer.members,
      healthCheck: (upstream) => this.#healthChecks?.result(upstream),
      ...(options.ejection !== undefined && { ejection: options.ejection }),
    });
    this.#upstreamBreakers = breakers;
    this.#callBreakers = breaker === false ? undefined : breakers;
    this.#operator = new OperatorHolds(breakers, clock);
    if (healthCheck !== false) {
      const { identity = staticIdentity() } = context;
      this.#healthChecks = new HealthChecks({
        ...healthCheck,
        probe: healthCheckProbe(healthCheck, protocol, identity),
        clock,
        random,
        onUnhealthy: (upstream) => breakers.hold(upstream),
        onHealthy: (upstream) => breakers.release(upstream),
      });
    }
    // One for both: a hedge is extra load as a retry is.
    const budget = new RetryBudget((options.retry || undefined)?.budget ?? {}, clock);
    this.#budget = budget;
    this.#limiter = concurrency === false ? undefined : concurrencyLimit({ ...concurrency, service: name, clock });
    this.#instanceLimit = instanceLimit(concurrency, { service: name, candidates: () => this.#balancer.candidates, clock });
    const dispatch = pipeline({
      observeCalls: observeCalls(observers, clock),
      deadline: deadline({ timeoutMs, clock, onEnd: this.#onDone }),
      interceptors: options.interceptors ?? [],
      delimitedBody: options.requireDelimitedBody ? delimitedBody(protocol) : undefined,
      serviceBreaker: this.#breaker?.interceptor,
      throttle: throttling === false ? undefined : throttle({ ...throttling, service: name, clock, random }),
      retry: options.retry === false ? undefined : retry({ ...options.retry, ...hooks, sharedBudget: budget, clock, random }),
      hedge: hedging === false ? undefined : hedge({ ...hedging, ...hooks, budget, clock }),
      concurrencyLimit: this.#limiter?.interceptor,
      balance: balance({
        balancer: this.#balancer,
        picker,
        breakers: this.#callBreakers,
        wait: this.#wait,
        instanceLimit: this.#instanceLimit,
      }),
      attemptTimeout: attemptTimeout({ timeoutMs: attemptTimeoutMs, clock }),
      propagate: options.shouldPropagate === false ? undefined : propagate(clock),
      observeAttempts: observeAttempts(observers, clock),
      transport: transport.dispatch(protocol, options.isolation),
    });
    this.dispatch = (request) => {
      this.#inFlight++;
      return dispatch(request);
    };
    const callers = options.zoneAware === false ? undefined : options.zoneAware?.callers;
    if (typeof callers === "string" && context.zone !== undefined)
      this.#unfollowCallers = context.callerZones?.follow(callers, (counts) => this.#balancer.updateCallers(counts));
    this.#watcher.start();
  }

  /** Calls that have not settled, wherever in the pipeline they are, or whose body is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** An instance for work that does not go through the pipeline; it counts as in flight until it is settled. */
  async lease(request: MeshRequest): Promise<Lease> {
    if (!this.#wait.isOver) await this.#wait.join(request);
    const lease = leaseFrom({ balancer: this.#balancer, breakers: this.#callBreakers, picker: this.#picker }, request);
    if (lease === undefined) throw await this.#wait.noEndpoints(request);
    this.#inFlight++;
    let isSettled = false;
    return {
      ...lease,
      settle: (outcome, refused) => {
        lease.settle(outcome, refused);
        this.#instanceLimit?.fill();
        if (!isSettled) this.#inFlight--;
        isSettled = true;
      },
    };
  }

  readonly #onDone = (): void => {
    this.#inFlight--;
  };

  /** Connects to instances in rotation before they are needed. Resolves with how many it reached; never rejects. */
  async warm(options: WarmOptions): Promise<number> {
    const { transport, random } = this.#context;
    const request = meshRequest({ service: this.name, method: "GET", path: "/", headers: {}, body: undefined });
    if (!this.#wait.isOver) await this.#wait.join(request).catch(() => {});
    const connect = async (upstream: Upstream) => (await transport.connect?.(upstream, this.#protocol)) ?? false;
    return warmUp(this.#balancer.candidates, connect, options, random);
  }

  /** Why each endpoint is or is not chosen, and how old the data is. */
  explain(): ServiceExplanation {
    return explainService({
      service: this.name,
      discovery: this.#context.discovery.name ?? "discovery",
      ageMs: this.#watcher.ageMs,
      lastError: this.#watcher.lastError,
      breaker: this.#breaker?.state() ?? "closed",
      unconfirmed: this.#watcher.unconfirmed,
      standingOf: (upstream) => this.#upstreamBreakers.standing(upstream),
      nowMs: this.#context.clock.wallNow(),
      balancer: this.#balancer,
      picker: this.#picker,
    });
  }

  /** The service in numbers. */
  read(): ServiceReading {
    return readService({
      service: this.name,
      inFlight: this.#inFlight,
      balancer: this.#balancer,
      standingOf: (upstream) => this.#upstreamBreakers.standing(upstream),
      unconfirmed: this.#watcher.unconfirmed.length,
      breaker: this.#breaker?.state() ?? "closed",
      ageMs: this.#watcher.ageMs,
      retryBudget: this.#budget.left,
      concurrency: this.#limiter?.reading(),
    });
  }

  /** Takes the instance with this id out for `forMs` milliseconds, or puts it back for 0; `false` when there is none. */
  eject(id: string, forMs: number): boolean {
    const upstream = this.#balancer.upstreams.find((each) => each.id === id);
    if (upstream === undefined) return false;
    if (forMs > 0) this.#operator.hold(upstream, forMs);
    else this.#operator.release(upstream);
    return true;
  }

  /** Ends the watch and releases every breaker and connection pool. */
  async close(): Promise<void> {
    this.#healthChecks?.stop();
    await Promise.all([this.#watcher.stop(), this.#unfollowCallers?.()]);
    this.#breaker?.dispose();
    this.#operator.dispose();
    this.#upstreamBreakers.dispose();
    for (const upstream of this.#balancer.upstreams) this.#context.transport.release(upstream);
  }
}
