/** Names in `code` that belong to something else than this package. One that no comment and no page has any more must go from here too. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["require", "of CommonJS"],
  ["WebSocket", "the standard, in Node and undici"],
  ["EventSource", "the standard, in browsers"],
  ["isolatedDeclarations", "TypeScript"],
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
