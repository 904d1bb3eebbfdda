import type { Upstream } from "../../core/upstream.ts";
import type { FailureRate } from "../learning/failure-rate.ts";

/** The load that an instance has reported, in answer to a load probe or in a response. */
export interface LoadProbe {
  readonly upstream: Upstream;
  readonly failures: FailureRate;
  /** Requests in flight (the paper's RIF): as reported, plus those that this process has sent since. */
  rif: number;
  readonly latencyMs: number;
  /** Time of the report, in the clock's milliseconds. */
  readonly at: number;
  uses: number;
  /** Number of uses after which the report is removed, whatever its age. */
  readonly maxUses: number;
}

/** Constants of a {@link LoadProbePool}. */
export interface LoadProbePoolOptions {
  readonly poolSize: number;
  readonly maxProbeAgeMs: number;
  readonly rifQuantile: number;
}

/** Fewest probes that a choice is made from, and that removals leave. */
export const minProbes = 2;

/** A pool of the newest load probe of each of a few instances, with Prequal's rule for choosing among them. */
export class LoadProbePool {
  readonly #options: LoadProbePoolOptions;
  /** The oldest first. */
  #probes: LoadProbe[] = [];
  #removesWorst = false;

  constructor(options: LoadProbePoolOptions, probes: Iterable<LoadProbe> = []) {
    this.#options = options;
    this.#probes = [...probes];
  }

  get probes(): readonly LoadProbe[] {
    return this.#probes;
  }

  /** Adds a probe; it replaces the earlier one of the same instance or, in a full pool, the oldest. */
  add(probe: LoadProbe): void {
    const index = this.#probes.findIndex(({ upstream }) => upstream === probe.upstream);
    if (index >= 0) this.#probes.splice(index, 1);
    else if (this.#probes.length >= this.#options.poolSize) this.#probes.shift();
    this.#probes.push(probe);
  }

  /** Removes the probes that are too old at `now`, also when the clock has gone back. */
  expire(now: number): void {
    const { maxProbeAgeMs } = this.#options;
    if (this.#probes.every(({ at }) => Math.abs(now - at) <= maxProbeAgeMs)) return;
    this.#probes = this.#probes.filter(({ at }) => Math.abs(now - at) <= maxProbeAgeMs);
  }

  /**
   * The hot-cold lexicographic rule: of the cold instances the one with the lowest latency or, when all are hot, the one with the
   * fewest requests in flight. An instance is hot when it has more requests in flight than `rifQuantile` of the pool. Sick instances
   * come last.
   * @param latencyOf latency that a request is expected to have at an instance
   */
  choose(isSick: (probe: LoadProbe) => boolean, latencyOf: (probe: LoadProbe) => number = reported): LoadProbe | undefined {
    if (this.#probes.length < minProbes) return undefined;
    const limit = this.hotAbove();
    let best: LoadProbe | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const probe of this.#probes) {
      const rank = isSick(probe) ? 2 : probe.rif > limit ? 1 : 0;
      if (rank > bestRank) continue;
      // Those that are hot or sick are compared by their requests in flight.
      const ms = rank === 0 ? latencyOf(probe) : 0;
      if (best !== undefined && rank === bestRank && (ms > bestMs || (ms === bestMs && probe.rif >= best.rif))) continue;
      best = probe;
      bestRank = rank;
      bestMs = ms;
    }
    return best;
  }

  /** Counts a use, and the request itself as one more in flight: no probe has seen it yet. */
  use(probe: LoadProbe): void {
    probe.uses++;
    probe.rif++;
    if (probe.uses >= probe.maxUses) this.#remove(probe);
  }

  /**
   * Removes one probe, the oldest and the worst in turn: without that only those would be left that are never chosen. The last
   * {@link minProbes} stay.
   */
  removeOne(): void {
    if (this.#probes.length <= minProbes) return;
    const worst = this.#removesWorst;
    this.#removesWorst = !worst;
    if (!worst) {
      this.#probes.shift();
      return;
    }
    const limit = this.hotAbove();
    const hot = this.#probes.filter(({ rif }) => rif > limit);
    const among = hot.length > 0 ? hot : this.#probes;
    this.#remove(among.reduce((one, other) => (isBetter(one, other, hot.length === 0) ? other : one)));
  }

  /** The number of requests in flight above which an instance is hot; infinite for an empty pool. */
  hotAbove(): number {
    const rifs = this.#probes.map(({ rif }) => rif).sort((one, other) => one - other);
    return rifs[Math.floor(this.#options.rifQuantile * (rifs.length - 1))] ?? Number.POSITIVE_INFINITY;
  }

  #remove(probe: LoadProbe): void {
    const index = this.#probes.indexOf(probe);
    if (index >= 0) this.#probes.splice(index, 1);
  }
}

function reported({ latencyMs }: LoadProbe): number {
  return latencyMs;
}

function isBetter(one: LoadProbe, other: LoadProbe, byLatency: boolean): boolean {
  if (byLatency && one.latencyMs !== other.latencyMs) return one.latencyMs < other.latencyMs;
  return one.rif < other.rif;
}
