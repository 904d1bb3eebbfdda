import { addressOf, type Endpoint, hostAndPort } from "./endpoint.ts";

/**
 * Where an upstream stands in the rotation. `in`: picked normally. `out`: its breaker is open.
 * `probe`: its breaker is half-open and waits for one request to try it with.
 */
export type Availability = "in" | "out" | "probe";

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
  readonly requests: number = 0;
  /** Attempts that ended in a failure of the instance: no connection, a broken one, a timeout, 502, 503 or 504. */
  readonly failures: number = 0;
  /** Moving average of the time to the response head in milliseconds; 0 until the first response. */
  readonly latencyMs: number = 0;
  /** Set by the balancer: rebuilds its candidates when availability changes. */
  onAvailability: ((upstream: Upstream) => void) | undefined = undefined;
  #endpoint: Endpoint;
  #availability: Availability = "in";
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

  get availability(): Availability {
    return this.#availability;
  }

  /** `true` while the upstream is in rotation. */
  get available(): boolean {
    return this.#availability === "in";
  }

  /** `true` once discovery no longer lists it: it finishes what is in flight and is picked no more. */
  get removed(): boolean {
    return this.#isRemoved;
  }

  /** Takes newer data for the same id and address. Only the balancer calls it. */
  refresh(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Only the breaker of this upstream calls it: it alone decides who is out of rotation. */
  setAvailability(availability: Availability): void {
    if (availability === this.#availability) return;
    this.#availability = availability;
    this.onAvailability?.(this);
  }

  /** Only the balancer calls it, when discovery no longer lists the endpoint. */
  markRemoved(): void {
    this.#isRemoved = true;
    this.onAvailability = undefined;
  }
}

/** The numbers of an {@link Upstream} that attempts change. */
export type UpstreamStatistics = { -readonly [Name in "inFlight" | "requests" | "failures" | "latencyMs"]: Upstream[Name] };

/** The same numbers, writable: for the ledger of attempts, the one writer (`test/architecture.test.ts` holds that). */
export function statisticsOf(upstream: Upstream): UpstreamStatistics {
  return upstream;
}
