import type { Endpoint } from "../core/endpoint.ts";
import { hostAndPort } from "../core/endpoint.ts";
import type { Upstream } from "../core/upstream.ts";

/** The parts that {@link LeavingInstances} works with. */
export interface LeavingInstancesOptions {
  /** Takes an instance out of rotation for a time, in milliseconds. */
  readonly hold: (upstream: Upstream, forMs: number) => void;
  /** Tells an instance that this process has let go of it. Does not throw. */
  readonly letGo: (upstream: Upstream) => void;
}

/** Shortest and longest time for which an instance that leaves is out, in milliseconds. */
const minHoldMs = 1_000;
const maxHoldMs = 60_000;

/**
 * Instances with `inmesh/server`, which name themselves in their responses, and say when they leave. One that leaves goes out of rotation at once, before
 * discovery knows. As soon as it is out, or discovery does not list it any more, it is told so: it need not wait for this caller.
 */
export class LeavingInstances {
  readonly #options: LeavingInstancesOptions;
  /** The last word of each instance about itself. Instances of another kind say nothing. */
  readonly #said = new WeakMap<Upstream, string>();
  readonly #leaving = new WeakSet<Upstream>();

  constructor(options: LeavingInstancesOptions) {
    this.#options = options;
  }

  /** An instance has answered with this `x-mesh-instance` header. */
  heard(upstream: Upstream, said: string): void {
    if (this.#said.get(upstream) === said) return;
    const [names = "", leaving] = said.slice(0, 1_000).split(";leaving=");
    // Handed on by something on the way: it is about another one.
    if (!isNamed(upstream.endpoint, names)) return;
    this.#said.set(upstream, said);
    const ms = leaving === undefined || !/^\d{1,8}$/.test(leaving) ? undefined : Number(leaving);
    if (ms === undefined) {
      this.#leaving.delete(upstream);
      return;
    }
    this.#options.hold(upstream, Math.min(Math.max(ms, minHoldMs), maxHoldMs));
    if (this.#leaving.has(upstream)) return;
    this.#leaving.add(upstream);
    this.#options.letGo(upstream);
  }

  /** Discovery does not list the instance any more. */
  removed(upstream: Upstream): void {
    if (this.#said.has(upstream) && !this.#leaving.has(upstream)) this.#options.letGo(upstream);
  }
}

function isNamed(endpoint: Endpoint, names: string): boolean {
  const address = hostAndPort(endpoint);
  return names.split(",").some((name) => name === address || decoded(name) === endpoint.id);
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
