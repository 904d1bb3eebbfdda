import type { LogBuckets } from "../core/observing/log-buckets.ts";
import type { LatencyReading } from "./snapshot.ts";

/** Buckets for each doubling of a latency: quantiles are right to about 2 %, in a kilobyte and a half. */
export const perOctave = 16;

/** p50, p95 and p99 of the counted latencies; `null` without one. */
export function latencyQuantiles(buckets: LogBuckets): LatencyReading | null {
  if (buckets.total === 0) return null;
  const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((share) => buckets.quantile(share, 0.5));
  return { p50, p95, p99 };
}
