/** One metric: its instrument and the attributes of its points. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: "histogram" | "counter" | "observable gauge" | "observable up-down counter";
  /** A unit of UCUM, as OpenTelemetry prescribes. */
  readonly unit: string;
  readonly description: string;
  /** The attributes that are always there, or there when they apply. */
  readonly attributes: readonly string[];
  /** The attributes that an option adds, by the option. */
  readonly optional?: Readonly<Record<string, readonly string[]>>;
  /** Bucket boundaries of a histogram. */
  readonly buckets?: readonly number[];
}
