import type { Metric, Registry } from "@prometheus-io/client";
import type { CounterKey, GaugeKey, HistogramKey, Instruments, MetricKey, Report } from "../metrics/metric-sink.ts";
import { keysOf, metricTable } from "../metrics/metric-table.ts";
import type { Aggregator, FamilyDefinition } from "./family.ts";
import { HistogramFamily } from "./histogram-family.ts";
import { CounterFamily, GaugeFamily } from "./number-family.ts";
import { prometheusName } from "./spelling.ts";

/** Of gauges that cannot be added up: of two meshes, or two workers, the one that should be looked at. */
const aggregators: Partial<Record<MetricKey, Aggregator>> = { panic: "max", discoveryAge: "max", certificateExpiry: "min" };

const byRegistry = new WeakMap<Registry, Families>();

/** The metrics of this package in one registry: all meshes that report there share them. */
export class Families {
  readonly instruments: Instruments;
  readonly #gauges: Readonly<Record<GaugeKey, GaugeFamily>>;
  readonly #observers = new Set<(report: Report<GaugeKey>) => void>();
  #isFresh = false;

  /**
   * Those in `registry`, which are registered there if they are not yet.
   * @throws TypeError when there is another metric of one of their names; none is registered then.
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
      // Of durations alone: a number of attempts leads to no trace in particular.
      histograms[key] = new HistogramFamily(definitionOf(key), collect, metricTable[key].buckets ?? [], metricTable[key].unit === "s");
    }
    const counters: Partial<Record<CounterKey, CounterFamily>> = {};
    for (const key of keysOf<CounterKey>("counter")) counters[key] = new CounterFamily(definitionOf(key), collect);
    const gauges: Partial<Record<GaugeKey, GaugeFamily>> = {};
    for (const key of keysOf<GaugeKey>("observable gauge")) gauges[key] = new GaugeFamily(definitionOf(key), collect);
    this.instruments = { ...histograms, ...counters } as Instruments;
    this.#gauges = gauges as Record<GaugeKey, GaugeFamily>;
  }

  /** Has `observe` asked for the gauges of a mesh at each collection; returns what ends that. */
  join(observe: (report: Report<GaugeKey>) => void): () => void {
    this.#observers.add(observe);
    return () => this.#observers.delete(observe);
  }

  /** A registry asks its metrics one after another without a pause: they are all of the same moment. */
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
    type: definition.kind === "observable gauge" ? "gauge" : definition.kind,
    aggregator: aggregators[key] ?? "sum",
  };
}
