import { addressOf, type Endpoint, hostAndPort } from "./endpoint.ts";
import type { RecentCount } from "./observing/recent-count.ts";

/**
 * The state of an instance; it has one at a time.
 *
 * - `available`: in rotation.
 * - `ejected`: out of rotation, by a rule or by an operator.
 * - `probing`: out of rotation until one request has tried it.
 * - `unhealthy`: out of rotation because its active health checks fail.
 */
export type InstanceState = "available" | "ejected" | "probing" | "unhealthy";

/** All values of {@link InstanceState}. */
export const instanceStates: readonly InstanceState[] = ["available", "ejected", "probing", "unhealthy"];

/**
 * An endpoint, and what this process has learnt about its instance. The object stays the same through updates with the same id and
 * address, and with it the attempts in flight, the latency and the state.
 */
export class Upstream {
  readonly service: string;
  readonly id: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** The name by which the service is known to its instances (`peer.name`); `undefined` where each is addressed by host and port. */
  readonly peerName: string | undefined;
  /** The `host` header of requests to the instance: the name, or `host:port`. */
  readonly authority: string;
  /** Attempts at this instance that have neither failed nor closed their response body. */
  readonly inFlight: number = 0;
  /** Attempts that were begun since the upstream was first listed. */
  readonly attempts: number = 0;
  /** Attempts that failed by a fault of the instance, of every kind: no connection, a broken one, a timeout, a cut off body, any 5xx. */
  readonly failures: number = 0;
  /** Attempts that were sent in the last minute; `undefined` until the first one. */
  readonly recent: RecentCount | undefined = undefined;
  /** Moving average of the time to the response head in milliseconds; 0 until the first response. */
  readonly latencyMs: number = 0;
  /** Set by the balancer, which rebuilds the candidates; called when `state` or `wantsProbe` has changed. */
  onStateChange: ((upstream: Upstream) => void) | undefined = undefined;
  #endpoint: Endpoint;
  #state: InstanceState = "available";
  #wantsProbe = false;
  #isRemoved = false;
  #isUnconfirmed = false;

  constructor(service: string, endpoint: Endpoint, peerName?: string) {
    this.service = service;
    this.id = endpoint.id;
    this.#endpoint = endpoint;
    this.address = addressOf(endpoint);
    this.origin = `${endpoint.secure ? "https" : "http"}://${hostAndPort(endpoint)}`;
    this.peerName = peerName;
    this.authority = peerName ?? hostAndPort(endpoint);
  }

  /** The endpoint as discovery has listed it last. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** The weight of the endpoint; 1 where discovery gives none. */
  get weight(): number {
    return this.#endpoint.weight ?? 1;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** Whether the state is `probing` and no probe is in flight: the next request that may be repeated is sent here as the probe. */
  get wantsProbe(): boolean {
    return this.#wantsProbe;
  }

  /** Whether discovery no longer lists the endpoint: its instance is not picked any more, and attempts in flight go on. */
  get removed(): boolean {
    return this.#isRemoved;
  }

  /**
   * Whether discovery's last answer lists other endpoints and leaves this one out, which has to be confirmed: the instance is a last resort
   * meanwhile.
   */
  get unconfirmed(): boolean {
    return this.#isUnconfirmed;
  }

  /** Replaces the endpoint by a newer one with the same id and address. For the balancer. */
  refresh(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Sets the state. For the circuit of this upstream, which alone decides about the rotation. */
  setState(state: InstanceState, wantsProbe: boolean = state === "probing"): void {
    if (state === this.#state && wantsProbe === this.#wantsProbe) return;
    this.#state = state;
    this.#wantsProbe = wantsProbe;
    this.onStateChange?.(this);
  }

  /** Sets {@link unconfirmed}. For the balancer. */
  setUnconfirmed(isUnconfirmed: boolean): void {
    this.#isUnconfirmed = isUnconfirmed;
  }

  /** Sets {@link removed}. For the balancer, when discovery no longer lists the endpoint. */
  markRemoved(): void {
    this.#isRemoved = true;
    this.onStateChange = undefined;
  }
}

/** The statistics of an {@link Upstream}, writable. */
export type UpstreamStatistics = { -readonly [Name in "inFlight" | "attempts" | "failures" | "recent" | "latencyMs"]: Upstream[Name] };

/**
 * Gives write access to the statistics of an upstream. For the ledger of attempts, their only writer (held by `test/architecture.test.ts`).
 */
export function statisticsOf(upstream: Upstream): UpstreamStatistics {
  return upstream;
}
