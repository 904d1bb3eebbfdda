/**
 * `inmesh/server`: the other end of a call. A server that registers when it is ready, and leaves without losing a request.
 *
 * @packageDocumentation
 */
import type { Servable } from "./node-server.ts";
import { type ServeOptions, settleServe } from "./serve-options.ts";
import { ServedServer, type Serving } from "./serving.ts";

export type { TokenPlace, TokenVerifier } from "../authentication/token-verifier.ts";
export type { Decision } from "../authorization/compiled-policy.ts";
export type {
  ClaimConditions,
  Day,
  HeaderCondition,
  PathPattern,
  Policy,
  PolicyRule,
  RuleAction,
  RuleFrom,
  RuleTo,
  RuleWindow,
  TokenCondition,
} from "../authorization/policy.ts";
export { type PolicyRecorder, policyRecorder } from "../authorization/recording/policy-recorder.ts";
export type { DecidedRequest, RecordedRequest, RequestRecord } from "../authorization/recording/recorded-requests.ts";
export type { AuthorizationRequest } from "../authorization/request.ts";
export type { DecidingPolicy, PolicyListener, PolicySource, PolicyWatch } from "../authorization/sources/policy-source.ts";
export { PolicyError } from "../authorization/text/policy-error.ts";
export { parsePolicy } from "../authorization/text/read-policy.ts";
export type { AuthorizationDecision } from "../core/observing/served-request.ts";
export type { ServingState } from "../core/observing/serving-state.ts";
export type { Caller, VerifiedToken } from "../core/peers/caller.ts";
export { DocumentError, type Place } from "../documents/document-error.ts";
export type { Credentials, Trust } from "../identity/credentials.ts";
export type { IdentityListener, IdentitySource, IdentityWatch } from "../identity/identity-source.ts";
export type { CallersMode, CallersOptions } from "./entrance/callers-options.ts";
export type { GrpcServer } from "./grpc/grpc-js-server.ts";
export type { GrpcHealthOptions, ServesService } from "./grpc/health-options.ts";
export type { AuditRecord } from "./inbound/authorization/audit.ts";
export type { AuthorizationOptions } from "./inbound/authorization/authorization-options.ts";
export type { HealthOptions } from "./inbound/health-options.ts";
export { callerOf } from "./inbound/inbound.ts";
export type { InboundOptions } from "./inbound/inbound-options.ts";
export type { InboundConcurrencyOptions } from "./inbound/limits/concurrency-options.ts";
export type { RateLimitOptions } from "./inbound/limits/rate-limit-options.ts";
export type { SheddingOptions } from "./inbound/limits/shedding-options.ts";
export type { LoadOptions } from "./inbound/load/load-options.ts";
export type { AccessLogOptions } from "./inbound/log/access-log-options.ts";
export { type InboundMiddleware, inbound, type MiddlewareOptions } from "./inbound/middleware.ts";
export type { IdentityHeader } from "./inbound/proxies/forwarded-identity.ts";
export type { TrustOptions } from "./inbound/trust-options.ts";
export type { Application, NodeServer, Servable, ServerReply, ServerRequest } from "./node-server.ts";
export type { ReadinessAnswer } from "./readiness.ts";
export type { ServedInstance, ServedMesh, ServeOptions } from "./serve-options.ts";
export type { Serving } from "./serving.ts";
export type { StopReport } from "./stop.ts";

/**
 * Serves a server of `node:http`, `node:https` or `node:http2`, or a Fastify instance; of an Express application, what `app.listen()` returns. It
 * registers the server once it listens and is ready. Upon `stop()`, SIGTERM or SIGINT it leaves without losing a request:
 *
 * 1. it is not ready any more, and out of service in the registry;
 * 2. it serves on (`lameDuckMs`), each HTTP/1.1 connection for one more response, while callers learn of it;
 * 3. it accepts no connection, and closes those at rest; HTTP/2 clients get a GOAWAY with the last stream that is processed;
 * 4. it waits for requests, their bodies, upgraded connections and tracked work, at most `graceMs`; event streams end after an event, WebSockets with
 *    the code 1001, and a new request on an open connection gets 503 with `x-mesh-refused: 1` before any handler sees it;
 * 5. it deregisters, and closes the application and the mesh.
 *
 * It never calls `process.exit`, and leaves no timer, socket or listener. A second signal ends at once.
 * @throws TypeError or RangeError naming the option, for a wrong one; TypeError for a server that is served already, until its stop has ended.
 */
export function serve(server: Servable, options: ServeOptions = {}): Serving {
  return new ServedServer(server, settleServe(options));
}
