import { Balancer } from "../balancer/balancer.ts";
import { roundRobin } from "../balancer/round-robin.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { describeError, MeshError } from "../core/errors.ts";
import type { BreakerState } from "../core/observer.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { LastGood } from "../discovery/last-good.ts";
import { Watcher } from "../discovery/watcher.ts";
import { attemptTimeout } from "../policies/attempt-timeout.ts";
import { deadline } from "../policies/deadline.ts";
import { retry } from "../policies/retry.ts";
import { type ServiceBreaker, serviceBreaker } from "../policies/service-breaker.ts";
import { UpstreamBreakers } from "../policies/upstream-breaker.ts";
import { balance } from "./balance.ts";
import { explainService, type ServiceExplanation } from "./explain.ts";
import { type Lease, leaseFrom } from "./lease.ts";
import { observeAttempts, observeCalls } from "./observe.ts";
import type { Observers } from "./observers.ts";
import type { ServiceOptions } from "./options.ts";
import { pipeline } from "./pipeline.ts";
import type { Catalogue } from "./suggest.ts";
import type { Transport } from "./transport.ts";

/** What the services of one mesh share. */
export interface ServiceContext {
  readonly discovery: Discovery;
  readonly lastGood?: LastGood | undefined;
  readonly catalogue: Catalogue;
  /** All that a service needs of it, so that a simulation can put another in its place. */
  readonly transport: Pick<Transport, "dispatch" | "release">;
  readonly observers: Observers;
  readonly clock: Clock;
  readonly random: Random;
}

/** One service as this process sees it: a watch, a balancer, breakers and the pipeline over them. */
export class Service {
  readonly name: string;
  /** Sends a request down the service's pipeline. */
  readonly dispatch: Dispatch;
  readonly #context: ServiceContext;
  readonly #discoveryTimeoutMs: number;
  readonly #watcher: Watcher;
  readonly #balancer: Balancer;
  readonly #breaker: ServiceBreaker | undefined;
  readonly #upstreamBreakers: UpstreamBreakers | undefined;
  #inFlight = 0;

  constructor(name: string, options: ServiceOptions, context: ServiceContext) {
    const { discovery, transport, observers, clock, random } = context;
    const {
      picker: pickers = roundRobin({ random }),
      timeoutMs = 10_000,
      attemptTimeoutMs = 2_000,
      discoveryTimeoutMs = 1_000,
      breaker = {},
      protocol = "h1",
    } = options;
    this.name = name;
    this.#context = context;
    this.#discoveryTimeoutMs = discoveryTimeoutMs;
    const picker = pickers.forService?.(name, { clock, random }) ?? pickers;
    this.#balancer = new Balancer({
      service: name,
      picker,
      onAvailability: (upstream) => observers.each((observer) => observer.onAvailability?.(upstream)),
      onRemoved: (upstream) => {
        this.#upstreamBreakers?.forget(upstream);
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
        observers.each((observer) => observer.onEndpoints?.(update));
      },
      onError: (error) => observers.each((observer) => observer.onDiscoveryError?.(name, error)),
    });
    if (breaker !== false) {
      this.#breaker = serviceBreaker({
        ...breaker,
        service: name,
        clock,
        random,
        onState: (state) => observers.each((observer) => observer.onBreaker?.(name, state, undefined)),
      });
      this.#upstreamBreakers = new UpstreamBreakers({
        ...breaker,
        clock,
        random,
        onState: (upstream, state) => observers.each((observer) => observer.onBreaker?.(name, state, upstream)),
      });
    }
    const dispatch = pipeline({
      observeCalls: observers.has("onCall") ? observeCalls(observers, clock) : undefined,
      deadline: deadline({ timeoutMs, clock }),
      interceptors: options.interceptors ?? [],
      serviceBreaker: this.#breaker?.interceptor,
      retry: this.#retryLayer(options),
      balance: balance({
        balancer: this.#balancer,
        picker,
        isReady: () => this.#watcher.answered,
        ready: (request) => this.#firstEndpoints(request),
        noEndpoints: (request) => this.#noEndpoints(request),
      }),
      upstreamBreaker: this.#upstreamBreakers?.interceptor,
      attemptTimeout: attemptTimeout({ timeoutMs: attemptTimeoutMs, clock }),
      observeAttempts: observers.has("onAttempt") ? observeAttempts(observers, clock) : undefined,
      transport: transport.dispatch(protocol),
    });
    this.dispatch = (request) => {
      this.#inFlight++;
      return dispatch(request).then(this.#onHead, this.#onFailure);
    };
    this.#watcher.start();
  }

  /** Calls that have not settled, wherever in the pipeline they are, or whose body is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** An instance for work that does not go through the pipeline; it counts as in flight until it is settled. */
  async lease(request: MeshRequest): Promise<Lease> {
    if (!this.#watcher.answered) await this.#firstEndpoints(request);
    const lease = leaseFrom(this.#balancer, this.#upstreamBreakers, request);
    if (lease === undefined) throw await this.#noEndpoints(request);
    this.#inFlight++;
    let isSettled = false;
    return {
      upstream: lease.upstream,
      settle: (outcome, refused) => {
        lease.settle(outcome, refused);
        if (!isSettled) this.#inFlight--;
        isSettled = true;
      },
    };
  }

  readonly #onDone = (): void => {
    this.#inFlight--;
  };

  readonly #onHead = (response: MeshResponse): MeshResponse => {
    response.body.onClose(this.#onDone);
    return response;
  };

  readonly #onFailure = (error: unknown): never => {
    this.#inFlight--;
    throw error;
  };

  /** Why each endpoint is or is not chosen, and how old the data is. */
  explain(): ServiceExplanation {
    return explainService({
      service: this.name,
      discovery: this.#context.discovery.name ?? "discovery",
      ageMs: this.#watcher.ageMs,
      lastError: this.#watcher.lastError,
      breaker: this.#breaker?.state() ?? "closed",
      breakerOf: (upstream): BreakerState => this.#upstreamBreakers?.state(upstream) ?? "closed",
      balancer: this.#balancer,
    });
  }

  /** Ends the watch and releases every breaker and connection pool. */
  async close(): Promise<void> {
    await this.#watcher.stop();
    this.#breaker?.dispose();
    this.#upstreamBreakers?.dispose();
    for (const upstream of this.#balancer.upstreams) this.#context.transport.release(upstream);
  }

  #retryLayer({ retry: options = {} }: ServiceOptions) {
    if (options === false) return undefined;
    const { observers, clock, random } = this.#context;
    return retry({
      ...options,
      clock,
      random,
      onRetry: (request, reason, delayMs) => observers.each((observer) => observer.onRetry?.(request, reason, delayMs)),
      onRetryDenied: (request, denial) => observers.each((observer) => observer.onRetryDenied?.(request, denial)),
    });
  }

  /** Waits for discovery's first answer; fails at once when it has been failing for longer than a call may wait. */
  #firstEndpoints(request: MeshRequest): Promise<void> {
    const { clock } = this.#context;
    const waitMs = this.#watcher.lastError === undefined ? this.#discoveryTimeoutMs : this.#discoveryTimeoutMs - this.#watcher.watchedMs;
    if (waitMs <= 0) return Promise.reject(this.#unanswered());
    return new Promise<void>((resolve, reject) => {
      const settle = (act: () => void) => {
        clock.clearTimer(timer);
        forget();
        request.cancellation.removeListener(onCancel);
        act();
      };
      const onCancel = (reason: unknown) => settle(() => reject(reason));
      const forget = this.#watcher.onFirstAnswer(() => settle(resolve));
      const timer = clock.setTimer(() => settle(() => reject(this.#unanswered())), waitMs);
      request.cancellation.onCancel(onCancel);
    });
  }

  #unanswered(): MeshError {
    const { lastError, watchedMs } = this.#watcher;
    const where = this.#context.discovery.name ?? "discovery";
    const why = lastError === undefined ? "it has not answered yet" : describeError(lastError);
    return new MeshError(
      "ERR_MESH_NO_ENDPOINTS",
      `"${this.name}" has no endpoints: asked ${where} ${Math.round(watchedMs)} ms ago, ${why}`,
      {
        service: this.name,
        maybeExecuted: false,
        cause: lastError,
      },
    );
  }

  async #noEndpoints(request: MeshRequest): Promise<MeshError> {
    const where = this.#context.discovery.name ?? "discovery";
    const suggestion = await this.#context.catalogue.nearest(this.name);
    const age = Math.round(this.#watcher.ageMs ?? 0);
    return new MeshError(
      "ERR_MESH_NO_ENDPOINTS",
      `"${this.name}" has no endpoints: ${where} listed none ${age} ms ago${suggestion === undefined ? "" : `. Did you mean "${suggestion}"?`}`,
      { service: this.name, attempts: [...request.attempts], cause: this.#watcher.lastError },
    );
  }
}
