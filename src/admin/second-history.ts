import { LogBuckets } from "../core/observing/log-buckets.ts";
import { latencyQuantiles, perOctave } from "./latency-quantiles.ts";
import type { LatencyReading, SecondReading } from "./snapshot.ts";

/** Number of seconds kept. */
export const keptSeconds = 120;
/** Latencies of the last minute are kept in six spans of ten seconds and the current one. */
const spanS = 10;
const spans = 7;

const kinds = ["calls", "failures", "attempts", "attemptFailures", "retries", "hedges"] as const;

/** The counts of a second. */
export type Counted = (typeof kinds)[number];

/** Sums of the counts over several seconds. */
export type Sums = Readonly<Record<Counted, number>>;

/**
 * Counts and latencies of each of the last {@link keptSeconds} seconds of a service, in arrays of a fixed size: about twenty kilobytes,
 * whatever the traffic. Time is in whole seconds and never goes back; a count costs an addition.
 */
export class SecondHistory {
  readonly #counts = new Uint32Array(keptSeconds * kinds.length);
  /** p50, p95 and p99 of each second; `NaN` without a call. */
  readonly #latencies = new Float64Array(keptSeconds * 3).fill(Number.NaN);
  readonly #current = new LogBuckets(perOctave);
  readonly #spans: readonly LogBuckets[] = Array.from({ length: spans }, () => new LogBuckets(perOctave));
  readonly #startS: number;
  #nowS: number;

  constructor(nowS: number) {
    this.#startS = nowS;
    this.#nowS = nowS;
  }

  /** Adds one to a count of the second `nowS`. `kind` is one of {@link counted}. */
  count(nowS: number, kind: number): void {
    if (nowS !== this.#nowS) this.#advance(nowS);
    const at = (this.#nowS % keptSeconds) * kinds.length + kind;
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /** Takes the latency of a call of the second `nowS`. */
  latency(nowS: number, ms: number): void {
    if (nowS !== this.#nowS) this.#advance(nowS);
    this.#current.add(ms);
  }

  /** Sums over the `seconds` whole seconds before `nowS`, and the number of them since the history began. */
  sum(nowS: number, seconds: number): { readonly sums: Sums; readonly seconds: number } {
    this.#advance(nowS);
    const sums: Record<Counted, number> = { calls: 0, failures: 0, attempts: 0, attemptFailures: 0, retries: 0, hedges: 0 };
    const from = Math.max(this.#startS, this.#nowS - seconds);
    for (let second = from; second < this.#nowS; second++) {
      const at = (second % keptSeconds) * kinds.length;
      for (let kind = 0; kind < kinds.length; kind++) sums[kinds[kind] as Counted] += this.#counts[at + kind] as number;
    }
    return { sums, seconds: this.#nowS - from };
  }

  /** Quantiles of the last 60 to 70 seconds. */
  latencies(nowS: number): LatencyReading | null {
    this.#advance(nowS);
    const all = new LogBuckets(perOctave);
    for (const span of this.#spans) all.merge(span);
    all.merge(this.#current);
    return latencyQuantiles(all);
  }

  /** The seconds after `sinceS` and before `nowS`, the oldest first. `offsetS` is the difference to seconds since the epoch. */
  list(nowS: number, sinceS: number, offsetS: number): readonly SecondReading[] {
    this.#advance(nowS);
    const list: SecondReading[] = [];
    const from = Math.max(this.#startS, this.#nowS - keptSeconds + 1, sinceS - offsetS + 1);
    for (let second = from; second < this.#nowS; second++) {
      const slot = second % keptSeconds;
      const [calls = 0, failures = 0, attempts = 0, attemptFailures = 0, retries = 0, hedges = 0] = this.#counts.subarray(
        slot * kinds.length,
        (slot + 1) * kinds.length,
      );
      const [p50 = Number.NaN, p95 = 0, p99 = 0] = this.#latencies.subarray(slot * 3, slot * 3 + 3);
      const latencyMs = Number.isNaN(p50) ? null : { p50, p95, p99 };
      list.push({ atS: second + offsetS, calls, failures, attempts, attemptFailures, retries, hedges, latencyMs });
    }
    return list;
  }

  #advance(nowS: number): void {
    if (nowS <= this.#nowS) return;
    const latency = latencyQuantiles(this.#current);
    const slot = this.#nowS % keptSeconds;
    if (latency !== null) this.#latencies.set([latency.p50, latency.p95, latency.p99], slot * 3);
    (this.#spans[Math.floor(this.#nowS / spanS) % spans] as LogBuckets).merge(this.#current);
    this.#current.clear();
    // Seconds and spans without a count are cleared: their slots still hold those of two minutes ago.
    for (let second = Math.max(this.#nowS + 1, nowS - keptSeconds + 1); second <= nowS; second++) {
      const at = second % keptSeconds;
      this.#counts.fill(0, at * kinds.length, (at + 1) * kinds.length);
      this.#latencies.fill(Number.NaN, at * 3, at * 3 + 3);
    }
    const [span, newSpan] = [Math.floor(this.#nowS / spanS), Math.floor(nowS / spanS)];
    for (let each = Math.max(span + 1, newSpan - spans + 1); each <= newSpan; each++) this.#spans[each % spans]?.clear();
    this.#nowS = nowS;
  }
}

/** The index of each count, for {@link SecondHistory.count}. */
export const counted: Readonly<Record<Counted, number>> = {
  calls: 0,
  failures: 1,
  attempts: 2,
  attemptFailures: 3,
  retries: 4,
  hedges: 5,
};
