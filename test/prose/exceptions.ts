/** A sentence in which a pronoun does stand for people. */
export interface AboutPeople {
  readonly path: string;
  /** A part of the sentence, as it is written on one line. */
  readonly words: string;
  readonly reason: string;
}

/** Sentences that are about people. One that is gone from its file must go from here too. */
export const aboutPeople: readonly AboutPeople[] = [];

/** Names in `code` that belong to something else than this package. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["WebSocket", "the standard, in Node and undici"],
  ["EventSource", "the standard, in browsers"],
  ["isolatedDeclarations", "TypeScript"],
  ["createContextKey", "@opentelemetry/api"],
  ["BalancedPool", "undici"],
  ["RetryAgent", "undici"],
  ["UndiciInstrumentation", "@opentelemetry/instrumentation-undici"],
  ["ignoreRequestHook", "@opentelemetry/instrumentation-undici"],
  ["OrcaLoadReport", "Open Request Cost Aggregation"],
  ["HealthCheckRequest", "gRPC's health checking protocol"],
  ["Gradient2Limit", "Netflix's concurrency-limits"],
  ["ClusterRegistry", "@prometheus-io/client"],
  ["WorkerRegistry", "@prometheus-io/client"],
  ["resetMetrics", "@prometheus-io/client"],
  ["UnderscoreEscapingWithSuffixes", "Prometheus"],
  ["subPath", "Kubernetes"],
]);
