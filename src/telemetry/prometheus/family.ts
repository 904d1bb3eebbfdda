import type { Attributes } from "@opentelemetry/api";
import { type Labels, labelsOf, seriesOf } from "./labels.ts";

/** An exemplar, as the package writes it. */
export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp: number;
}

/** One line of a scrape, as the package writes it: `sharedLabels` are kept as text by it, and so must stay the same object. */
export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly sharedLabels?: Labels;
  /** Of a histogram's parts. */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/** What the package asks a metric for. */
export interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly Sample[];
}

/** How values of the same series are put together: those of two meshes here, and those of workers by the package. */
export type Aggregator = "sum" | "max" | "min";

/** What a family is made of. */
export interface FamilyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly aggregator: Aggregator;
}

/** Series that a metric may have, as the OpenTelemetry SDK has it; what comes after them is counted in one more. */
const maxSeries = 2_000;
const overflow: Attributes = { "otel.metric.overflow": true };

/**
 * A metric in a registry of `@prometheus-io/client`: it has what the registry asks of one. The package's own classes make a
 * text of all labels for each value; here a value finds its series by the attributes' identity.
 */
export abstract class Family<Series> implements FamilyDefinition {
  /** Not readonly: the package takes the `_total` of counters away where it writes OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: FamilyDefinition["type"];
  readonly aggregator: Aggregator;
  readonly #beforeRead: () => void;
  readonly #series = new Map<string, Series>();
  #byAttributes = new WeakMap<Attributes, Series>();

  /** `beforeRead` is called before values are read: it brings them up to date. */
  constructor({ name, help, type, aggregator }: FamilyDefinition, beforeRead: () => void) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.aggregator = aggregator;
    this.#beforeRead = beforeRead;
  }

  /** For JSON, where each value has all its labels. */
  async get(): Promise<Collected> {
    const { values, ...rest } = this.getForPromString();
    return {
      ...rest,
      values: values.map(({ sharedLabels, labels, ...sample }) => ({ ...sample, labels: { ...labels, ...sharedLabels } })),
    };
  }

  /** For text. */
  getForPromString(): Collected {
    this.#beforeRead();
    const { name, help, type, aggregator } = this;
    const values: Sample[] = [];
    for (const series of this.#series.values()) this.write(series, values);
    return { name, help, type, aggregator, values };
  }

  /** Forgets every series. */
  reset(): void {
    this.#series.clear();
    this.#byAttributes = new WeakMap();
  }

  /** The series of these attributes. */
  protected at(attributes: Attributes): Series {
    return this.#byAttributes.get(attributes) ?? this.#find(attributes);
  }

  protected abstract create(labels: Labels): Series;
  protected abstract write(series: Series, samples: Sample[]): void;

  #find(attributes: Attributes): Series {
    const labels = labelsOf(attributes);
    const key = seriesOf(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= maxSeries && attributes !== overflow) return this.at(overflow);
      series = this.create(labels);
      this.#series.set(key, series);
    }
    this.#byAttributes.set(attributes, series);
    return series;
  }
}
