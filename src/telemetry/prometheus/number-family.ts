import type { Attributes } from "@opentelemetry/api";
import type { CounterSink } from "../metrics/metric-sink.ts";
import { Family, type Sample } from "./family.ts";
import type { Labels } from "./labels.ts";

interface NumberSeries {
  readonly labels: Labels;
  /** NaN for a gauge without a value in this collection. */
  value: number;
}

/** A counter. */
export class CounterFamily extends Family<NumberSeries> implements CounterSink {
  add(value: number, attributes: Attributes): void {
    this.at(attributes).value += value;
  }

  protected override create(labels: Labels): NumberSeries {
    return { labels, value: 0 };
  }

  protected override write(series: NumberSeries, samples: Sample[]): void {
    samples.push({ labels: series.labels, value: series.value });
  }
}

/** A gauge: reset before each collection, so that a value that is no longer reported has no series. */
export class GaugeFamily extends Family<NumberSeries> {
  /** Takes the value of one mesh and combines it with those of other meshes for the same series in this collection. */
  tell(value: number, attributes: Attributes): void {
    const series = this.at(attributes);
    if (Number.isNaN(series.value)) series.value = value;
    else if (this.aggregator === "sum") series.value += value;
    else series.value = this.aggregator === "max" ? Math.max(series.value, value) : Math.min(series.value, value);
  }

  protected override create(labels: Labels): NumberSeries {
    return { labels, value: Number.NaN };
  }

  protected override write(series: NumberSeries, samples: Sample[]): void {
    samples.push({ labels: series.labels, value: series.value });
  }
}
