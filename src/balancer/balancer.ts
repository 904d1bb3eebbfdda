import type { MeshRequest } from "../core/dispatch.ts";
import { addressOf, type Endpoint, sameMetadata } from "../core/endpoint.ts";
import { Upstream } from "../core/upstream.ts";
import type { Picker } from "./picker.ts";

const maxProbesSkipped = 50;

/** What a {@link Balancer} needs. */
export interface BalancerOptions {
  readonly service: string;
  readonly picker: Picker;
  /** An upstream went into or out of rotation. */
  readonly onAvailability?: (upstream: Upstream) => void;
  /** Discovery no longer lists the upstream: its connections may be closed once it is idle. */
  readonly onRemoved?: (upstream: Upstream) => void;
}

/**
 * The upstreams of one service: matches discovery's sets to them by id, so that what was learnt survives an update, knows
 * who is a candidate, and asks the picker.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  #upstreams = new Map<string, Upstream>();
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #candidates: readonly Upstream[] = [];
  #probes: readonly Upstream[] = [];
  #probesSkipped = 0;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** Every upstream, in rotation or not, in discovery's order. */
  get upstreams(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  /** Who the picker chooses from. */
  get candidates(): readonly Upstream[] {
    return this.#candidates;
  }

  /** Takes a complete new set. The same id at the same address keeps its upstream; another address makes a new one. */
  update(endpoints: readonly Endpoint[]): void {
    // An answer that only confirms the last one.
    if (endpoints === this.#endpoints) return;
    this.#endpoints = endpoints;
    const before = this.#upstreams;
    const after = new Map<string, Upstream>();
    let hasChanged = false;
    for (const endpoint of endpoints) {
      const known = before.get(endpoint.id);
      if (known?.address === addressOf(endpoint) && Boolean(known.endpoint.secure) === Boolean(endpoint.secure)) {
        hasChanged ||= !isAlike(known.endpoint, endpoint);
        known.refresh(endpoint);
        after.set(endpoint.id, known);
      } else {
        hasChanged = true;
        const upstream = new Upstream(this.#options.service, endpoint);
        upstream.onAvailability = (changed) => {
          this.#rebuild();
          this.#options.onAvailability?.(changed);
        };
        after.set(endpoint.id, upstream);
      }
    }
    this.#upstreams = after;
    // Most answers only confirm the last one, maybe in another order, and a picker may have a ring to build.
    if (hasChanged || after.size !== before.size) this.#rebuild();
    for (const [id, upstream] of before) {
      if (after.get(id) === upstream) continue;
      upstream.markRemoved();
      this.#options.onRemoved?.(upstream);
    }
  }

  /**
   * The upstream for one attempt, preferably one that this call has not tried; `undefined` when the service has none.
   * `mayProbe`: the request may be sent to an instance whose breaker waits for a probe, because failing there costs
   * nothing but a retry.
   */
  pick(request: MeshRequest, mayProbe: boolean): Upstream | undefined {
    if (this.#probes.length > 0) {
      const probe = this.#takeProbe(request, mayProbe);
      if (probe !== undefined) return probe;
    }
    if (request.tried.length > 0) {
      const untried = this.#candidates.filter((upstream) => !request.tried.includes(upstream));
      if (untried.length > 0) return this.#options.picker.pick(untried, request);
    }
    return this.#options.picker.pick(this.#candidates, request);
  }

  #takeProbe(request: MeshRequest, mayProbe: boolean): Upstream | undefined {
    if (request.tried.length > 0) return undefined;
    // Where nothing but unsafe requests comes by, one of them has to be the probe some time.
    if (!mayProbe && ++this.#probesSkipped < maxProbesSkipped) return undefined;
    this.#probesSkipped = 0;
    return this.#probes[0];
  }

  /**
   * Rebuilt when availability changes, which is rare, so that a pick never filters. Of several priorities the lowest
   * number with an available member serves (RFC 2782); of its members those of weight 0 serve only when there are no
   * others. When nobody is available all are candidates again (what Envoy calls panic): the first healthy one is then
   * found by the traffic itself.
   */
  #rebuild(): void {
    const all = [...this.#upstreams.values()];
    this.#probes = all.filter((upstream) => upstream.availability === "probe");
    const available = all.filter((upstream) => upstream.available);
    const preferred = lowestPriority(available.length > 0 ? available : all);
    const weighty = preferred.filter((upstream) => upstream.weight > 0);
    this.#candidates = weighty.length > 0 ? weighty : preferred;
    this.#options.picker.update?.(this.#candidates);
  }
}

function lowestPriority(upstreams: readonly Upstream[]): readonly Upstream[] {
  const priorityOf = (upstream: Upstream) => upstream.endpoint.priority ?? 0;
  const lowest = upstreams.reduce((least, upstream) => Math.min(least, priorityOf(upstream)), Number.POSITIVE_INFINITY);
  return upstreams.filter((upstream) => priorityOf(upstream) === lowest);
}

/** Whether two sets of data of the same instance are the same to a picker. */
function isAlike(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.weight === other.weight &&
      one.priority === other.priority &&
      one.zone === other.zone &&
      sameMetadata(one.metadata, other.metadata))
  );
}
