/** The instrumentation scope of every metric and span. */
export const scopeName = "inmesh";
/** The version the scope carries: this package's own. */
export const scopeVersion = "0.1.0";

/** Every attribute, by the name the code calls it. Where OpenTelemetry's semantic conventions have a name it is theirs; the rest starts with `inmesh.`. */
export const attribute = {
  method: "http.request.method",
  methodOriginal: "http.request.method_original",
  resendCount: "http.request.resend_count",
  status: "http.response.status_code",
  serverAddress: "server.address",
  service: "server.service.name",
  peerAddress: "network.peer.address",
  peerPort: "network.peer.port",
  urlFull: "url.full",
  urlTemplate: "url.template",
  errorType: "error.type",
  outcome: "inmesh.outcome",
  attempts: "inmesh.attempts",
  phase: "inmesh.attempt.phase",
  retryReason: "inmesh.retry.reason",
  retryDenial: "inmesh.retry.denial",
  zone: "inmesh.zone",
  ejectionRule: "inmesh.ejection.rule",
  breakerState: "inmesh.breaker.state",
  breakerScope: "inmesh.breaker.scope",
  endpointState: "inmesh.endpoint.state",
  discoveryOutcome: "inmesh.discovery.outcome",
} as const;
