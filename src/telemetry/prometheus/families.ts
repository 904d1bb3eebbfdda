import type { Metric, Registry } from "@prometheus-io/client";
import type { CounterKey, GaugeKey, HistogramKey, Instruments, MetricKey, Report } from "../metrics/metric-sink.ts";
import { keysOf, metricTable } from "../metrics/metric-table.ts";
import type { Aggregator, FamilyDefinition } from "./family.ts";
import { HistogramFamily } from "./histogram-family.ts";
import { CounterFamily, GaugeFamily } from "./number-family.ts";
import { prometheusName } from "./spelling.ts";

/** Gauges that cannot be added up: of two meshes, or two workers, the value that needs attention is kept. */
const aggregators: Partial<Record<MetricKey, Aggregator>> = {
  panic: "max",
  discoveryAge: "max",
  certificateExpiry: "min",
  endpointShare: "max",
  endpointFailures: "max",
  endpointAvoided: "max",
  endpointCost: "max",
};

const byRegistry = new WeakMap<Registry, Families>();

/** The metrics of this package in one registry, shared by all meshes that report there. */
export class Families {
  readonly instruments: Instruments;
  readonly #gauges: Readonly<Record<GaugeKey, GaugeFamily>>;
  readonly #observers = new Set<(report: Report<GaugeKey>) => void>();
  #isFresh = false;

  /**
   * The metrics in `registry`, registered there at the first call.
   * @throws TypeError when another metric has one of their names; none is registered then.
   */
  static in(registry: Registry): Families {
    const families = byRegistry.get(registry) ?? new Families();
    families.#register(registry);
    byRegistry.set(registry, families);
    return families;
  }

  private constructor() {
    const collect = (): void => this.#collect();
    const histograms: Partial<Record<HistogramKey, HistogramFamily>> = {};
    for (const key of keysOf<HistogramKey>("histogram")) {
      // Exemplars for durations only: a number of attempts points to no trace in particular.
      histograms[key] = new HistogramFamily(definitionOf(key), collect, metricTable[key].buckets ?? [], metricTable[key].unit === "s");
    }
    const counters: Partial<Record<CounterKey, CounterFamily>> = {};
    for (const key of keysOf<CounterKey>("counter")) counters[key] = new CounterFamily(definitionOf(key), collect);
    const gauges: Partial<Record<GaugeKey, GaugeFamily>> = {};
    for (const key of keysOf<GaugeKey>("observable gauge", "observable up-down counter"))
      gauges[key] = new GaugeFamily(definitionOf(key), collect);
    this.instruments = { ...histograms, ...counters } as Instruments;
    this.#gauges = gauges as Record<GaugeKey, GaugeFamily>;
  }

  /** Calls `observe` for the gauges of a mesh at each collection; returns the function that ends it. */
  join(observe: (report: Report<GaugeKey>) => void): () => void {
    this.#observers.add(observe);
    return () => this.#observers.delete(observe);
  }

  /** A registry reads its metrics one after another in the same turn, so that one collection serves all. */
  #collect(): void {
    if (this.#isFresh) return;
    this.#isFresh = true;
    queueMicrotask(() => {
      this.#isFresh = false;
    });
    for (const gauge of Object.values(this.#gauges)) gauge.reset();
    const report: Report<GaugeKey> = (key, value, attributes) => this.#gauges[key].tell(value, attributes);
    for (const observe of this.#observers) observe(report);
  }

  #register(registry: Registry): void {
    const all = { ...this.instruments, ...this.#gauges } as Record<MetricKey, HistogramFamily | CounterFamily | GaugeFamily>;
    const missing: Metric[] = [];
    for (const key of Object.keys(metricTable) as MetricKey[]) {
      const name = prometheusName(metricTable[key]);
      const family = all[key] as unknown as Metric;
      const present = registry.getSingleMetric(name) as Metric | undefined;
      if (present === family) continue;
      if (present !== undefined) throw new TypeError(`prometheus: registry has a metric called ${name} that is not of inmesh`);
      missing.push(family);
    }
    for (const family of missing) registry.registerMetric(family);
  }
}

function definitionOf(key: MetricKey): FamilyDefinition {
  const definition = metricTable[key];
  return {
    name: prometheusName(definition),
    help: definition.description,
    type: definition.kind === "histogram" || definition.kind === "counter" ? definition.kind : "gauge",
    aggregator: aggregators[key] ?? "sum",
  };
}
