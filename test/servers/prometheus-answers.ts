/** The names and values that tell series, alerts or targets apart. */
export type Labels = Readonly<Record<string, string>>;

/** A value at a moment, in milliseconds since the epoch. */
export interface Sample {
  readonly timeMs: number;
  readonly value: number;
}

/** One series' value at the moment of an instant query. */
export interface InstantSample extends Sample {
  readonly labels: Labels;
}

/** One series of a range query. */
export interface RangeSeries {
  readonly labels: Labels;
  readonly samples: readonly Sample[];
}

/** The exemplars of one series. */
export interface ExemplarSeries {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly (Sample & { readonly labels: Labels })[];
}

/** An alert as `/api/v1/alerts` has it. */
export interface PrometheusAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: "pending" | "firing";
  /** When its expression was first true, in ISO form. */
  readonly activeAt: string;
  readonly value: string;
}

/** A rule as `/api/v1/rules` has it. */
export interface Rule {
  readonly type: "alerting" | "recording";
  readonly name: string;
  readonly query: string;
  /** "err" with {@link lastError} when it could not be evaluated. */
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
  /** Of an alerting rule. */
  readonly state?: "inactive" | "pending" | "firing";
  /** How long the expression must be true, in seconds. */
  readonly duration?: number;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly alerts?: readonly PrometheusAlert[];
}

/** A rule group as `/api/v1/rules` has it. */
export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  /** In seconds. */
  readonly interval: number;
  readonly rules: readonly Rule[];
}

/** A target as `/api/v1/targets` has it. */
export interface ScrapeTarget {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  /** "unknown" before the first scrape. */
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
  readonly lastScrapeDuration: number;
}

/** Seconds since the epoch, and the value as text. */
type RawSample = readonly [seconds: number, value: string];

interface RawResult {
  readonly resultType: string;
  readonly result: unknown;
}

/** "+Inf" is no number to JavaScript. */
const numberFrom = (text: string): number => Number(text.replace("Inf", "Infinity"));

const sampleFrom = ([seconds, value]: RawSample): Sample => ({ timeMs: seconds * 1000, value: numberFrom(value) });

/** The samples of an instant query's answer: a vector's, or the one of a scalar. */
export const instantFrom = ({ resultType, result }: RawResult): readonly InstantSample[] => {
  if (resultType === "scalar") return [{ labels: {}, ...sampleFrom(result as RawSample) }];
  if (resultType !== "vector") throw new TypeError(`expected a vector or a scalar, got a ${resultType}`);
  const series = result as readonly { readonly metric: Labels; readonly value: RawSample }[];
  return series.map(({ metric, value }) => ({ labels: metric, ...sampleFrom(value) }));
};

/** The series of a range query's answer. */
export const rangeFrom = ({ result }: RawResult): readonly RangeSeries[] => {
  const series = result as readonly { readonly metric: Labels; readonly values: readonly RawSample[] }[];
  return series.map(({ metric, values }) => ({ labels: metric, samples: values.map(sampleFrom) }));
};

interface RawExemplars {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly { readonly labels: Labels; readonly value: string; readonly timestamp: number }[];
}

/** The exemplars of an exemplar query's answer. */
export const exemplarsFrom = (result: readonly RawExemplars[]): readonly ExemplarSeries[] =>
  result.map(({ seriesLabels, exemplars }) => ({
    seriesLabels,
    exemplars: exemplars.map(({ labels, value, timestamp }) => ({ labels, ...sampleFrom([timestamp, value]) })),
  }));
