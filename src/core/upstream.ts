import { addressOf, type Endpoint, hostAndPort } from "./endpoint.ts";

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
 * An endpoint plus what this process has learnt about it. The object survives updates of the same id and address,
 * so in-flight counts, latency and breaker state survive too.
 */
export class Upstream {
  readonly service: string;
  readonly id: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** Attempts at this instance whose response body has not closed yet. */
  readonly inFlight: number = 0;
  /** Attempts started since the upstream was first seen. */
  readonly attempts: number = 0;
  /** Attempts that ended in a failure of the instance: no connection, a broken one, a timeout, 502, 503 or 504. */
  readonly failures: number = 0;
  /** Moving average of the time to the response head in milliseconds; 0 until the first response. */
  readonly latencyMs: number = 0;
  /** Set by the balancer; called when `state` or `wantsProbe` has changed, so that the candidates are rebuilt. */
  onStateChange: ((upstream: Upstream) => void) | undefined = undefined;
  #endpoint: Endpoint;
  #state: InstanceState = "available";
  #wantsProbe = false;
  #isRemoved = false;

  constructor(service: string, endpoint: Endpoint) {
    this.service = service;
    this.id = endpoint.id;
    this.#endpoint = endpoint;
    this.address = addressOf(endpoint);
    this.origin = `${endpoint.secure ? "https" : "http"}://${hostAndPort(endpoint)}`;
  }

  /** The newest data that discovery has given for this id. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** The endpoint's weight, 1 when discovery gave none. */
  get weight(): number {
    return this.#endpoint.weight ?? 1;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** `true` while the state is `probing` and no probe is under way: the next request that may be repeated is sent as the probe. */
  get wantsProbe(): boolean {
    return this.#wantsProbe;
  }

  /** `true` once discovery no longer lists it: it finishes what is in flight and is picked no more. */
  get removed(): boolean {
    return this.#isRemoved;
  }

  /** Takes newer data for the same id and address. Only the balancer calls it. */
  refresh(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Only the breaker of this upstream calls it: nothing else decides about the rotation. */
  setState(state: InstanceState, wantsProbe: boolean = state === "probing"): void {
    if (state === this.#state && wantsProbe === this.#wantsProbe) return;
    this.#state = state;
    this.#wantsProbe = wantsProbe;
    this.onStateChange?.(this);
  }

  /** Only the balancer calls it, when discovery no longer lists the endpoint. */
  markRemoved(): void {
    this.#isRemoved = true;
    this.onStateChange = undefined;
  }
}

/** The numbers of an {@link Upstream} that attempts change. */
export type UpstreamStatistics = { -readonly [Name in "inFlight" | "attempts" | "failures" | "latencyMs"]: Upstream[Name] };

/** The same numbers, writable: for the ledger of attempts, the one writer (`test/architecture.test.ts` holds that). */
export function statisticsOf(upstream: Upstream): UpstreamStatistics {
  return upstream;
}
