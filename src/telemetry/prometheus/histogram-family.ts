import type { Attributes, Context } from "@opentelemetry/api";
import type { HistogramSink } from "../metrics/metric-sink.ts";
import { loadedApi } from "../open-telemetry-api.ts";
import { type Exemplar, Family, type FamilyDefinition, type Sample } from "./family.ts";
import type { Labels } from "./labels.ts";

interface HistogramSeries {
  readonly labels: Labels;
  /** Values per bucket, not cumulative: up to each bound, and one more bucket above the last bound. */
  readonly counts: number[];
  /** The last exemplar of each bucket. */
  readonly exemplars: (Exemplar | undefined)[];
  sum: number;
}

const noLabels: Labels = {};

/** A histogram with fixed bounds. */
export class HistogramFamily extends Family<HistogramSeries> implements HistogramSink {
  readonly #bounds: readonly number[];
  readonly #bucketLabels: readonly Labels[];
  readonly #names: { readonly bucket: string; readonly sum: string; readonly count: string };
  readonly #hasExemplars: boolean;

  constructor(definition: FamilyDefinition, beforeRead: () => void, bounds: readonly number[], hasExemplars: boolean) {
    super(definition, beforeRead);
    this.#bounds = bounds;
    this.#bucketLabels = [...bounds.map((le) => ({ le: String(le) })), { le: "+Inf" }];
    const { name } = definition;
    this.#names = { bucket: `${name}_bucket`, sum: `${name}_sum`, count: `${name}_count` };
    this.#hasExemplars = hasExemplars;
  }

  record(value: number, attributes: Attributes, context?: Context): void {
    const series = this.at(attributes);
    const { counts } = series;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    series.sum += value;
    if (context === undefined || !this.#hasExemplars) return;
    const exemplar = exemplarOf(value, context);
    if (exemplar !== undefined) series.exemplars[bucket] = exemplar;
  }

  protected override create(labels: Labels): HistogramSeries {
    const buckets = this.#bucketLabels.length;
    return { labels, counts: new Array<number>(buckets).fill(0), exemplars: new Array<undefined>(buckets).fill(undefined), sum: 0 };
  }

  protected override write({ labels: sharedLabels, counts, exemplars, sum }: HistogramSeries, samples: Sample[]): void {
    const names = this.#names;
    let count = 0;
    for (let bucket = 0; bucket < counts.length; bucket++) {
      count += counts[bucket] as number;
      const labels = this.#bucketLabels[bucket] as Labels;
      samples.push({ labels, sharedLabels, value: count, metricName: names.bucket, exemplar: exemplars[bucket] });
    }
    samples.push({ labels: noLabels, sharedLabels, value: sum, metricName: names.sum });
    samples.push({ labels: noLabels, sharedLabels, value: count, metricName: names.count });
  }
}

/** The exemplar for a value: its trace, if it is sampled, since no other can be looked up. */
function exemplarOf(value: number, context: Context): Exemplar | undefined {
  const { trace, TraceFlags, isSpanContextValid } = loadedApi();
  const span = trace.getSpanContext(context);
  if (span === undefined || (span.traceFlags & TraceFlags.SAMPLED) === 0 || !isSpanContextValid(span)) return undefined;
  return { labelSet: { trace_id: span.traceId, span_id: span.spanId }, value, timestamp: Date.now() / 1_000 };
}
