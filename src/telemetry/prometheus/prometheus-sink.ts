import type { Context } from "@opentelemetry/api";
import type { GaugeKey, HistogramSink, Instruments, Report, Sink } from "../metrics/metric-sink.ts";
import type { Families } from "./families.ts";

/** Where the measurements of one mesh go: into the metrics of a registry, which others may share. */
export class PrometheusSink implements Sink {
  readonly #instruments: Instruments;
  readonly #leave: () => void;

  constructor(families: Families, observe: (report: Report<GaugeKey>) => void, hasExemplars: boolean) {
    const { attemptDuration, callDuration } = families.instruments;
    this.#instruments = hasExemplars
      ? families.instruments
      : { ...families.instruments, attemptDuration: withoutContext(attemptDuration), callDuration: withoutContext(callDuration) };
    this.#leave = families.join(observe);
  }

  current(): Instruments {
    return this.#instruments;
  }

  /** The gauges of the mesh are no more; what it has counted stays. */
  close(): void {
    this.#leave();
  }
}

function withoutContext(histogram: HistogramSink): HistogramSink {
  return { record: (value, attributes, _context?: Context) => histogram.record(value, attributes) };
}
