import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { CallEnd } from "../core/observing/call-observer.ts";
import type { Routed } from "../core/routed.ts";
import { countedStatus } from "../core/rpc/rpc-outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import { EndpointTally } from "./endpoint-tally.ts";
import { RecentErrors } from "./recent-errors.ts";
import { counted, SecondHistory } from "./second-history.ts";
import type { Secured } from "./snapshot.ts";

/** Everything recorded of one service. Nothing is kept of an instance that has gone. */
export class ServiceTally {
  readonly seconds: SecondHistory;
  readonly errors: RecentErrors = new RecentErrors();
  #listed: readonly Endpoint[] | undefined = undefined;
  #secured: Secured | undefined = undefined;
  readonly #clock: Clock;
  readonly #endpoints = new WeakMap<Upstream, EndpointTally>();
  /** The instances that got an attempt, by id. */
  #byId = new Map<string, WeakRef<Upstream>>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.seconds = new SecondHistory(secondOf(clock));
  }

  /** The tally of `upstream`, which follows its attempts. */
  endpoint(upstream: Upstream): EndpointTally {
    let tally = this.#endpoints.get(upstream);
    if (tally === undefined) {
      tally = new EndpointTally(this, this.#clock);
      this.#endpoints.set(upstream, tally);
      this.#byId.set(upstream.id, new WeakRef(upstream));
    }
    return tally;
  }

  /** The tally of the instance with this id; `undefined` when it got no attempt. */
  endpointOf(id: string): EndpointTally | undefined {
    const upstream = this.#byId.get(id)?.deref();
    return upstream && this.#endpoints.get(upstream);
  }

  /** `true` after the first answer of discovery. */
  get isListed(): boolean {
    return this.#listed !== undefined;
  }

  /** How many of the endpoints are called over TLS; computed on demand, once per answer of discovery. */
  get secured(): Secured {
    this.#secured ??= securedOf(this.#listed ?? []);
    return this.#secured;
  }

  /** Takes an answer of discovery, and forgets ids that it no longer lists. */
  list(endpoints: readonly Endpoint[]): void {
    if (endpoints !== this.#listed) this.#secured = undefined;
    this.#listed = endpoints;
    if (this.#byId.size <= endpoints.length) return;
    const kept = new Map<string, WeakRef<Upstream>>();
    for (const { id } of endpoints) {
      const upstream = this.#byId.get(id);
      if (upstream !== undefined) kept.set(id, upstream);
    }
    this.#byId = kept;
  }

  ended(request: MeshRequest, end: CallEnd, routed?: Routed): void {
    if (end.cancelled) return;
    const nowS = secondOf(this.#clock);
    this.seconds.count(nowS, counted.calls);
    this.seconds.latency(nowS, end.headMs);
    if (end.error === undefined && countedStatus({ status: end.status ?? 0, rpcStatus: end.rpcStatus }) < 500) return;
    this.seconds.count(nowS, counted.failures);
    this.errors.add(request, end, this.#clock.wallNow(), routed);
  }

  attempted(hasFailed: boolean): void {
    const nowS = secondOf(this.#clock);
    this.seconds.count(nowS, counted.attempts);
    if (hasFailed) this.seconds.count(nowS, counted.attemptFailures);
  }

  retried(): void {
    this.seconds.count(secondOf(this.#clock), counted.retries);
  }

  hedged(): void {
    this.seconds.count(secondOf(this.#clock), counted.hedges);
  }
}

/** The current second of the clock, which never goes back. */
export function secondOf(clock: Clock): number {
  return Math.floor(clock.now() / 1_000);
}

function securedOf(endpoints: readonly Endpoint[]): Secured {
  const secure = endpoints.filter((endpoint) => endpoint.secure === true).length;
  return secure === 0 ? "none" : secure === endpoints.length ? "all" : "some";
}
