import type { Context } from "@opentelemetry/api";
import type { GaugeKey, HistogramSink, Instruments, Report, Sink } from "../metrics/metric-sink.ts";
import type { Families } from "./families.ts";

/** The sink of one mesh: the metrics of a registry, which other meshes may share. */
export class PrometheusSink implements Sink {
  readonly #instruments: Instruments;
  readonly #leave: () => void;

  constructor(families: Families, observe: (report: Report<GaugeKey>) => void, hasExemplars: boolean) {
    const { attemptDuration, callDuration, rpcClientDuration, serverDuration, rpcServerDuration } = families.instruments;
    this.#instruments = hasExemplars
      ? families.instruments
      : {
          ...families.instruments,
          attemptDuration: withoutContext(attemptDuration),
          callDuration: withoutContext(callDuration),
          rpcClientDuration: withoutContext(rpcClientDuration),
          serverDuration: withoutContext(serverDuration),
          rpcServerDuration: withoutContext(rpcServerDuration),
        };
    this.#leave = families.join(observe);
  }

  current(): Instruments {
    return this.#instruments;
  }

  /** Ends the gauges of the mesh; its counters and histograms stay. */
  close(): void {
    this.#leave();
  }
}

function withoutContext(histogram: HistogramSink): HistogramSink {
  return { record: (value, attributes, _context?: Context) => histogram.record(value, attributes) };
}
