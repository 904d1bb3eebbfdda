/**
 * inmesh: an embeddable client-side service mesh. `createMesh({ discovery })` gives a `fetch` that finds the instances of
 * a service, balances over them, retries where that is safe and opens breakers where it is not. Authors of pickers, adapters, registrars,
 * policies and observers find the seams in `inmesh/extend`.
 *
 * @packageDocumentation
 */

export type { BalancingOptions } from "./balancer/balancing-options.ts";
export type { PriorityOptions } from "./balancer/candidates/priority-load.ts";
export type { SlowStartOptions } from "./balancer/candidates/slow-start.ts";
export type { ClientPosition, SubsetOptions } from "./balancer/candidates/subset-options.ts";
export type { ZoneAwareOptions } from "./balancer/candidates/zone-aware-options.ts";
export type { ConsistentHashOptions } from "./balancer/hashing/consistent-hash.ts";
export { cookieKey, type HashKey, headerKey } from "./balancer/hashing/hash-key.ts";
export type { Choices } from "./balancer/lists/draw.ts";
export type { ReportingPicker } from "./balancer/load-reports/reporting-picker.ts";
export { adaptive } from "./balancer/pickers/adaptive.ts";
export type { AdaptiveOptions } from "./balancer/pickers/adaptive-options.ts";
export { type LeastRequestOptions, leastRequest } from "./balancer/pickers/least-request.ts";
export { type MaglevOptions, maglev } from "./balancer/pickers/maglev.ts";
export { type PeakEwmaOptions, peakEwma } from "./balancer/pickers/peak-ewma.ts";
export { prequal } from "./balancer/pickers/prequal.ts";
export type { PrequalOptions } from "./balancer/pickers/prequal-options.ts";
export { type RandomOptions, random } from "./balancer/pickers/random.ts";
export { type RingHashOptions, ringHash } from "./balancer/pickers/ring-hash.ts";
export { type RoundRobinOptions, roundRobin } from "./balancer/pickers/round-robin.ts";
export { weighted } from "./balancer/pickers/weighted.ts";
export type { WeightedOptions } from "./balancer/pickers/weighted-options.ts";
export type { AnyDispatcher, DispatcherOptions, WebSocketLimits } from "./bridges/dispatcher.ts";
export type { BreakerOptions } from "./circuit/breaker-options.ts";
export type { ConnectionOptions, Isolation, PeerMode, PeerOptions, Protocol, WireOptions } from "./core/connection-options.ts";
export type { CallOptions, CallPriority } from "./core/dispatch.ts";
export { type EjectionRule, ejectionRules } from "./core/ejection-rule.ts";
export type { Endpoint, EndpointPeer } from "./core/endpoint.ts";
export {
  type AttemptRecord,
  isMeshError,
  MeshError,
  type MeshErrorCode,
  type MeshErrorDetails,
  meshErrorCodes,
  type Phase,
} from "./core/errors.ts";
export type { HeadersInput } from "./core/http/request-headers.ts";
export type { LeftOutCount } from "./core/left-out.ts";
export type { BreakerState } from "./core/observing/breaker-state.ts";
export type { CallTrace, ComparedInstance, DecisionResult, PickDecision } from "./core/observing/call-trace.ts";
export type { CanaryChange, CanaryPhase, CanaryReading, CanaryTargetReading } from "./core/observing/routes/canary-reading.ts";
export type { ConnectionReading, EncryptionReading } from "./core/observing/connection-reading.ts";
export type { IdentityReading, IdentityState } from "./core/observing/identity-reading.ts";
export type {
  ConcurrencyReading,
  ConfigurationReading,
  InstanceFigures,
  MeshReading,
  RegistrationReading,
  RegistryReading,
  RegistryState,
  ServerReading,
  ServiceReading,
} from "./core/observing/reading.ts";
export type { RegistrationState } from "./core/observing/registration-state.ts";
export { traceOf } from "./core/observing/trace-recorder.ts";
export type { RefusableAddresses } from "./core/peers/address-policy.ts";
export type { InstanceState } from "./core/upstream.ts";
export type { OutsideEndpoint } from "./discovery/boundary/boundary.ts";
export type { BoundaryOptions } from "./discovery/boundary/boundary-options.ts";
export { byService, type ServiceSources } from "./discovery/combined/by-service.ts";
export { type FallbackOptions, fallback } from "./discovery/combined/fallback.ts";
export type { FallbackChoice } from "./discovery/combined/fallback-pair.ts";
export { type Location, located } from "./discovery/combined/located.ts";
export { type UnionOptions, union } from "./discovery/combined/union.ts";
export type { SourceErrorListener } from "./discovery/combined/watched-source.ts";
export type { EmptyPolicy } from "./discovery/discovery.ts";
export { type DnsOptions, dns } from "./discovery/dns/dns.ts";
export { type FileDiscoveryOptions, fileDiscovery } from "./discovery/file/file.ts";
export type { FileFormat } from "./discovery/file/list-file.ts";
export type { ListedEndpoint, ServiceList } from "./discovery/file/service-list.ts";
export { staticDiscovery } from "./discovery/file/static.ts";
export type { DecodeOptions } from "./fetch/decoding/decode-options.ts";
export type { Reply, ReplyBody } from "./fetch/reply.ts";
export type { BodyInput } from "./fetch/request-body.ts";
export type { FetchTarget, MeshRequestInit, Targets, WithScheme } from "./fetch/request-init.ts";
export { fileIdentity } from "./identity/files/file-identity.ts";
export type { FileIdentityOptions } from "./identity/files/file-options.ts";
export type { IdentitySource } from "./identity/identity-source.ts";
export type { Ejection, EndpointExplanation, ServiceExplanation, SubsetExplanation } from "./mesh/explanation.ts";
export { createMesh, type Mesh } from "./mesh/mesh.ts";
export type { ChangedOptions, MeshOptions, ServiceNameOf, WholeMeshOptions } from "./mesh/mesh-options.ts";
export type { ServiceOptions } from "./mesh/service-options.ts";
export type { WarmOptions } from "./mesh/warm-up.ts";
export type { Authorize, OutgoingRequest } from "./policies/authorize.ts";
export { type AimdOptions, aimd } from "./policies/concurrency/aimd.ts";
export type { ConcurrencyOptions } from "./policies/concurrency/concurrency-options.ts";
export { type Gradient2Options, gradient2 } from "./policies/concurrency/gradient2.ts";
export type { HedgeOptions } from "./policies/hedge/hedge-options.ts";
export { continueFrom, type IncomingHeaders } from "./policies/incoming.ts";
export type { RetryBudgetOptions } from "./policies/retry/retry-budget.ts";
export type { RetryCondition, RetryOptions } from "./policies/retry/retry-options.ts";
export type { ThrottleOptions } from "./policies/throttle.ts";
export type { IssuedToken, ServiceTokenOptions, TokenProvider } from "./policies/token/token-options.ts";
export type { AdvertisedHost } from "./registration/advertised-host.ts";
export type { InstanceHealth } from "./registration/health-watch.ts";
export type { MeshRegistration, RegistryStanding } from "./registration/mesh-registration.ts";
export type { RegisterOptions, RegistrationOptions } from "./registration/register-options.ts";
export type {
  HealthCheck,
  Instance,
  InstanceStatus,
  Registrar,
  Registration,
  RegistrationOwner,
  RegistrationReport,
} from "./registration/registrar.ts";
export type { EjectionOptions, FailurePercentageOptions, SuccessRateOptions } from "./rotation/ejection/ejection-options.ts";
export type {
  GrpcHealthCheck,
  HealthCheckOptions,
  HealthCheckTiming,
  HttpHealthCheck,
  TcpHealthCheck,
} from "./rotation/health/health-check-options.ts";
export type { HealthCheckResult, InstanceStanding } from "./rotation/instance-standing.ts";
export type { CanaryControl } from "./routing/canary/canary-control.ts";
export { type CanaryEntry, type CanaryState, memoryCanaryState } from "./routing/canary/canary-state.ts";
export type {
  HeaderChanges,
  HeaderText,
  HeaderValue,
  Replacement,
  Route,
  RouteAnswer,
  RouteCanary,
  RouteFault,
  RouteHashKey,
  RouteMirror,
  RouteRedirect,
  RouteRewrite,
  RouteSplit,
  RouteSubset,
  RouteTarget,
  StickyKey,
  WeightedTarget,
} from "./routing/route.ts";
export type { ExplainedTarget, RouteExplanation, UnmatchedRule } from "./routing/route-explanation.ts";
export type { PathMatch, RouteMatch, TextMatch, VersionMatch } from "./routing/route-match.ts";
export type { RouteOptions } from "./routing/route-options.ts";
export type { RouteSource } from "./routing/route-source.ts";
export { type OpenTelemetryOptions, openTelemetry } from "./telemetry/open-telemetry.ts";
export type { TlsOptions } from "./wire/tls.ts";
