/**
 * inmesh: an embeddable client-side service mesh. `createMesh({ discovery })` gives a `fetch` that finds the instances of
 * a service, balances over them, retries where that is safe and opens breakers where it is not.
 *
 * @packageDocumentation
 */

export type { BalancingOptions } from "./balancer/balancing-options.ts";
export type { ClientPosition } from "./balancer/candidates/aperture.ts";
export type { PriorityOptions } from "./balancer/candidates/priority-load.ts";
export type { SlowStartOptions } from "./balancer/candidates/slow-start.ts";
export type { SubsetOptions } from "./balancer/candidates/subset.ts";
export type { ZoneAwareOptions } from "./balancer/candidates/zone-load.ts";
export type { ConsistentHashOptions } from "./balancer/hashing/consistent-hash.ts";
export { cookieKey, type HashKey, headerKey } from "./balancer/hashing/hash-key.ts";
export type { AttemptLearner, Picker, PickerContext, PickerView } from "./balancer/picker.ts";
export { type AdaptiveOptions, adaptive } from "./balancer/pickers/adaptive.ts";
export type { Choices } from "./balancer/pickers/draw.ts";
export { type LeastRequestOptions, leastRequest } from "./balancer/pickers/least-request.ts";
export { type MaglevOptions, maglev } from "./balancer/pickers/maglev.ts";
export { type PeakEwmaOptions, peakEwma } from "./balancer/pickers/peak-ewma.ts";
export { type PrequalOptions, prequal } from "./balancer/pickers/prequal.ts";
export { type RandomOptions, random } from "./balancer/pickers/random.ts";
export type { ReportingPicker } from "./balancer/pickers/reported-weighted.ts";
export { type RingHashOptions, ringHash } from "./balancer/pickers/ring-hash.ts";
export { type RoundRobinOptions, roundRobin } from "./balancer/pickers/round-robin.ts";
export { type WeightedOptions, weighted } from "./balancer/pickers/weighted.ts";
export type { DecodeOptions } from "./client/decode.ts";
export type { DispatcherOptions } from "./client/dispatcher.ts";
export type { Ejection, EndpointExplanation, ServiceExplanation } from "./client/explain.ts";
export type {
  GrpcHealthCheck,
  HealthCheckOptions,
  HealthCheckTiming,
  HttpHealthCheck,
  TcpHealthCheck,
} from "./client/health-check-options.ts";
export { createMesh, type Mesh } from "./client/mesh.ts";
export type { MeshOptions, ServiceOptions } from "./client/options.ts";
export type { Isolation, Protocol } from "./client/pools.ts";
export type { Reply, ReplyBody } from "./client/reply.ts";
export type { BodyInput } from "./client/request-body.ts";
export type { HeadersInput } from "./client/request-headers.ts";
export type { FetchTarget, MeshRequestInit, Targets, WithScheme } from "./client/request-init.ts";
export { parseTarget, type Target } from "./client/target.ts";
export type { TlsOptions } from "./client/tls.ts";
export type { WarmOptions } from "./client/warm.ts";
export type { CloseListener, RequestBody, ResponseBody } from "./core/body.ts";
export { localResponse } from "./core/buffered-body.ts";
export { type CancelHandler, type CancelListener, Cancellation } from "./core/cancellation.ts";
export { type Clock, type Random, systemClock, type Timer } from "./core/clock.ts";
export {
  type CallOptions,
  type CallPriority,
  type Dispatch,
  headerOf,
  type Interceptor,
  type MeshRequest,
  type MeshResponse,
  type RequestHeaders,
} from "./core/dispatch.ts";
export { type EjectionRule, ejectionRules } from "./core/ejection-rule.ts";
export type { Endpoint } from "./core/endpoint.ts";
export {
  type AttemptRecord,
  isMeshError,
  MeshError,
  type MeshErrorCode,
  type MeshErrorDetails,
  meshErrorCodes,
  type Phase,
} from "./core/errors.ts";
export type {
  AttemptEnd,
  AttemptObserver,
  BreakerState,
  CallEnd,
  CallObserver,
  EndpointsUpdate,
  Observation,
  Observer,
  RetryDenial,
} from "./core/observer.ts";
export type { ConcurrencyReading, EndpointState, MeshReading, ServiceReading } from "./core/reading.ts";
export { type Availability, Upstream } from "./core/upstream.ts";
export { authoritative } from "./discovery/authority.ts";
export type { Discovery, EmptyPolicy } from "./discovery/discovery.ts";
export { type DnsOptions, dns } from "./discovery/dns.ts";
export { type FallbackOptions, fallback } from "./discovery/fallback.ts";
export type { FallbackChoice } from "./discovery/fallback-pair.ts";
export { type FileDiscoveryOptions, fileDiscovery } from "./discovery/file.ts";
export type { FileFormat } from "./discovery/list-file.ts";
export type { HealthCheck, Instance, InstanceStatus, Registrar, Registration } from "./discovery/registrar.ts";
export type { ListedEndpoint, ServiceList } from "./discovery/service-list.ts";
export type { SourceErrorListener } from "./discovery/source.ts";
export { staticDiscovery } from "./discovery/static.ts";
export { type UnionOptions, union } from "./discovery/union.ts";
export { type AimdOptions, aimd } from "./policies/aimd.ts";
export type { ConcurrencyOptions } from "./policies/concurrency-limit.ts";
export type { EjectionOptions, FailurePercentageOptions, SuccessRateOptions } from "./policies/ejection.ts";
export { type Gradient2Options, gradient2 } from "./policies/gradient2.ts";
export type { HedgeOptions } from "./policies/hedge.ts";
export { continueFrom, type IncomingHeaders } from "./policies/incoming.ts";
export type { ConcurrencyLimit, LimitAlgorithm, LimitSample } from "./policies/limit-algorithm.ts";
export type { RetryOptions } from "./policies/retry.ts";
export type { RetryBudgetOptions } from "./policies/retry-budget.ts";
export type { BreakerOptions } from "./policies/service-breaker.ts";
export type { ThrottleOptions } from "./policies/throttle.ts";
export type { HealthCheckResult, UpstreamStanding } from "./policies/upstream-standing.ts";
export type {
  AttemptEvent,
  AvailabilityEvent,
  BreakerEvent,
  CallEvent,
  DiscoveryErrorEvent,
  DiscoveryUpdateEvent,
  EjectionEvent,
  HedgeEvent,
  InstanceEvent,
  MeshEvents,
  RequestEvent,
  RetryDeniedEvent,
  RetryEvent,
} from "./telemetry/events.ts";
export { type OpenTelemetryOptions, openTelemetry } from "./telemetry/open-telemetry.ts";
export { isMeshRequest } from "./telemetry/spans.ts";
export type { CallOutcome } from "./telemetry/values.ts";
