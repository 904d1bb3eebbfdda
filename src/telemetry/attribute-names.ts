import { ownVersion } from "../core/node/own-version.ts";

/** The instrumentation scope of every metric and span. */
export const scopeName = "inmesh";
/** The version of the scope: that of this package. */
export const scopeVersion: string = ownVersion;

/**
 * Every attribute of metrics and spans, by a short name for the code. Names of OpenTelemetry's semantic conventions are used where there is
 * one; the others begin with `inmesh.`.
 */
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
  urlPath: "url.path",
  urlQuery: "url.query",
  scheme: "url.scheme",
  route: "http.route",
  protocolVersion: "network.protocol.version",
  userAgent: "user_agent.original",
  urlTemplate: "url.template",
  rpcSystem: "rpc.system.name",
  rpcMethod: "rpc.method",
  rpcStatus: "rpc.response.status_code",
  errorType: "error.type",
  outcome: "inmesh.outcome",
  attempts: "inmesh.attempts",
  phase: "inmesh.attempt.phase",
  retryReason: "inmesh.retry.reason",
  retryDenial: "inmesh.retry.denial",
  serverRefusal: "inmesh.server.refusal",
  authorizationDecision: "inmesh.authorization.decision",
  authorizationRule: "inmesh.authorization.rule",
  identityRole: "inmesh.identity.role",
  identityState: "inmesh.identity.state",
  encryption: "inmesh.connection.encryption",
  connectionRefusal: "inmesh.connection.refusal",
  zone: "inmesh.zone",
  routeRule: "inmesh.route.rule",
  routeTarget: "inmesh.route.target",
  mirrored: "inmesh.mirror",
  mirrorOutcome: "inmesh.mirror.outcome",
  mirrorOmission: "inmesh.mirror.omission",
  fault: "inmesh.fault",
  canaryChange: "inmesh.canary.change",
  canaryState: "inmesh.canary.state",
  ejectionRule: "inmesh.ejection.rule",
  breakerState: "inmesh.breaker.state",
  breakerScope: "inmesh.breaker.scope",
  endpointState: "inmesh.endpoint.state",
  shareKind: "inmesh.share.kind",
  costTerm: "inmesh.cost.term",
  discoveryOutcome: "inmesh.discovery.outcome",
  registrationState: "inmesh.registration.state",
  serverState: "inmesh.server.state",
  configResult: "inmesh.config.result",
} as const;
