import type { Attributes } from "@opentelemetry/api";
import { type Labels, labelsOf, seriesOf } from "./labels.ts";

/** An exemplar in the shape that the package writes. */
export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp: number;
}

/** One line of a scrape in the shape that the package writes. It caches the text of `sharedLabels` by identity. */
export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly sharedLabels?: Labels;
  /** The name of a part of a histogram, such as `…_bucket`. */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/** The values of a metric, as the package reads them. */
export interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly Sample[];
}

/** How values of the same series are combined: those of two meshes here, those of workers by the package. */
export type Aggregator = "sum" | "max" | "min";

/** Name, help and kind of a family. */
export interface FamilyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly aggregator: Aggregator;
}

/** Series that a metric may have, as in the OpenTelemetry SDK; further ones are counted in one overflow series. */
const maxSeries = 2_000;
const overflow: Attributes = { "otel.metric.overflow": true };

/**
 * A metric in a registry of `@prometheus-io/client`, with the methods that the registry calls. The package's own classes make a text of all
 * labels for each value; here a value finds its series by the identity of its attributes.
 */
export abstract class Family<Series> implements FamilyDefinition {
  /** Not readonly: the package removes the `_total` of counters when it writes OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: FamilyDefinition["type"];
  readonly aggregator: Aggregator;
  readonly #beforeRead: () => void;
  readonly #series = new Map<string, Series>();
  #byAttributes = new WeakMap<Attributes, Series>();

  /** `beforeRead` brings the values up to date; it is called before they are read. */
  constructor({ name, help, type, aggregator }: FamilyDefinition, beforeRead: () => void) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.aggregator = aggregator;
    this.#beforeRead = beforeRead;
  }

  /** The values for JSON, each with all its labels. */
  async get(): Promise<Collected> {
    const { values, ...rest } = this.getForPromString();
    return {
      ...rest,
      values: values.map(({ sharedLabels, labels, ...sample }) => ({ ...sample, labels: { ...labels, ...sharedLabels } })),
    };
  }

  /** The values for text. */
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
