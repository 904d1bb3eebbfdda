import type { Upstream } from "../../core/upstream.ts";
import type { FailureRates } from "../learning/failure-rates.ts";

/** What an instance has said of its load, lately. */
export interface LoadProbe {
  readonly upstream: Upstream;
  readonly failures: FailureRates;
  /** Requests in flight there, and those that this process has sent since. */
  rif: number;
  readonly latencyMs: number;
  readonly at: number;
  uses: number;
  /** After so many uses it is stale, whatever its age. */
  readonly maxUses: number;
}

/** Constants of a {@link LoadProbePool}. */
export interface LoadProbePoolOptions {
  readonly poolSize: number;
  readonly maxProbeAgeMs: number;
  readonly rifQuantile: number;
}

/** With fewer there is no choice. */
export const minProbes = 2;

/** A pool of the newest probe of each of a few instances, and Prequal's rule to choose by it. */
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

  /** Takes a probe, in the place of the one before of the same instance or of the oldest. */
  add(probe: LoadProbe): void {
    const index = this.#probes.findIndex(({ upstream }) => upstream === probe.upstream);
    if (index >= 0) this.#probes.splice(index, 1);
    else if (this.#probes.length >= this.#options.poolSize) this.#probes.shift();
    this.#probes.push(probe);
  }

  /** Forgets what is too old at `now`, also when the clock has gone back. */
  expire(now: number): void {
    const { maxProbeAgeMs } = this.#options;
    if (this.#probes.every(({ at }) => Math.abs(now - at) <= maxProbeAgeMs)) return;
    this.#probes = this.#probes.filter(({ at }) => Math.abs(now - at) <= maxProbeAgeMs);
  }

  /**
   * The hot-cold lexicographic rule: of the cold ones the one with the lowest latency, and when all are hot the one with the
   * fewest requests in flight. Hot is who has more in flight than `rifQuantile` of the pool; who is sick comes last.
   */
  choose(isSick: (probe: LoadProbe) => boolean): LoadProbe | undefined {
    if (this.#probes.length < minProbes) return undefined;
    const limit = this.hotAbove();
    let best: LoadProbe | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    for (const probe of this.#probes) {
      const rank = isSick(probe) ? 2 : probe.rif > limit ? 1 : 0;
      if (best === undefined || rank < bestRank || (rank === bestRank && isBetter(probe, best, rank === 0))) {
        best = probe;
        bestRank = rank;
      }
    }
    return best;
  }

  /** Counts a use. The request itself is one more in flight, which no probe has seen yet. */
  use(probe: LoadProbe): void {
    probe.uses++;
    probe.rif++;
    if (probe.uses >= probe.maxUses) this.#remove(probe);
  }

  /**
   * Removes one, the oldest and the worst in turn: those that nobody chooses would be all that is left. Never so many that
   * there is no choice left.
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

  /** Who has more requests in flight is hot. */
  hotAbove(): number {
    const rifs = this.#probes.map(({ rif }) => rif).sort((one, other) => one - other);
    return rifs[Math.floor(this.#options.rifQuantile * (rifs.length - 1))] ?? Number.POSITIVE_INFINITY;
  }

  #remove(probe: LoadProbe): void {
    const index = this.#probes.indexOf(probe);
    if (index >= 0) this.#probes.splice(index, 1);
  }
}

function isBetter(one: LoadProbe, other: LoadProbe, byLatency: boolean): boolean {
  if (byLatency && one.latencyMs !== other.latencyMs) return one.latencyMs < other.latencyMs;
  return one.rif < other.rif;
}
