/**
 * For authors of pickers, discovery adapters, registrars, policies and observers: the seams of inmesh and the vocabulary they are written
 * in. Users of a mesh need `inmesh` alone.
 *
 * @packageDocumentation
 */

// Pickers.
export type { AttemptLearner, ComparedUpstream, PickAccount, Picker, PickerContext, PickerView } from "./balancer/picker.ts";
// Policies: interceptors, and what passes through them.
export { localResponse } from "./core/buffered-body.ts";
export { type CancelHandler, type CancelListener, Cancellation } from "./core/cancellation.ts";
export { type Clock, type Random, systemClock, type Timer } from "./core/clock.ts";
export type { CallEndListener, Dispatch, Interceptor, MeshRequest, MeshResponse, OpenCall, RpcCall, RpcProtocol } from "./core/dispatch.ts";
export type { CloseListener, ContentVerdict, RequestBody, ResponseBody } from "./core/http/body.ts";
export type { RequestHeaders } from "./core/http/request-headers.ts";
export { type HeaderLines, headerOf } from "./core/http/response-headers.ts";
export type { TransferListener } from "./core/http/transfer-listener.ts";
// Entries of a registry that are no endpoints.
export type { LeftOut } from "./core/left-out.ts";
// Observers, and subscribers of diagnostics channels.
export type { CallEnd, CallObserver, Observation, RouteDecision } from "./core/observing/call-observer.ts";
export type { ConsideredPick, DecisionRecorder, TracedRequest } from "./core/observing/call-trace.ts";
export type { ConnectionRefusal } from "./core/observing/connection-refusal.ts";
export type {
  BreakerEvent,
  CanaryEvent,
  ConfigurationRefusedEvent,
  ConfiguredEvent,
  DiscoveryErrorEvent,
  EndpointsEvent,
  EndpointsUpdate,
  HedgeEvent,
  HedgeWonEvent,
  InstanceStateEvent,
  MeshEvent,
  MeshEventOf,
  RegistrationEvent,
  RetryDenial,
  RetryDeniedEvent,
  RetryEvent,
  ServerConnectionEvent,
  ServingEvent,
  TraceEvent,
} from "./core/observing/events.ts";
export type { AttemptEnd, AttemptObserver, Observer } from "./core/observing/observer.ts";
export type { RecentCount } from "./core/observing/recent-count.ts";
export type { FaultEvent, FaultKind, MirrorEvent, MirrorOmission, MirrorOutcome } from "./core/observing/routes/route-events.ts";
export type {
  AuthorizationDecision,
  ServedAuthorization,
  ServedEnd,
  ServedObserver,
  ServedRequest,
} from "./core/observing/served-request.ts";
// An instance as the mesh sees it: what pickers, observers and policies are handed.
export type { Routed, Subset } from "./core/routed.ts";
// Calls of gRPC, as observers of servers see them.
export type { RpcMethod } from "./core/rpc/rpc-method.ts";
/** Progress of a request body, as {@link MeshRequest.progress} has it. */
export type { SendProgress } from "./core/send-progress.ts";
export { Upstream } from "./core/upstream.ts";
// Discovery adapters.
export type { Discovery, DiscoveryAnswer, UsePace } from "./discovery/discovery.ts";
export { parseTarget, type Target } from "./fetch/target.ts";
// Sources of identities.
export type { Credentials, Trust } from "./identity/credentials.ts";
export type { IdentityListener, IdentitySource, IdentityWatch } from "./identity/identity-source.ts";
// Limits of concurrency.
export type { ConcurrencyLimit, LimitAlgorithm, LimitSample } from "./policies/concurrency/limit-algorithm.ts";
// Registrars.
export { type AdvertisedHost, advertisedHost, type Interfaces, ownAddress } from "./registration/advertised-host.ts";
export { type KeepRegisteredOptions, keepRegistered } from "./registration/keep-registered.ts";
export type {
  Instance,
  InstanceStatus,
  Registrar,
  Registration,
  RegistrationOwner,
  RegistrationReport,
} from "./registration/registrar.ts";
export type { RegistrationKeeper, RegistrationKeeperOptions } from "./registration/registration-keeper.ts";
export type { EntryAction, EntryCall, Recognition, RegistryEntry } from "./registration/registry-entry.ts";
export type { CallOutcome } from "./telemetry/attribute-values.ts";
export type {
  AttemptMessage,
  AvailabilityMessage,
  BreakerMessage,
  CallMessage,
  CanaryMessage,
  ChannelMessages,
  ConfigurationMessage,
  DiscoveryErrorMessage,
  DiscoveryUpdateMessage,
  EjectionMessage,
  FaultMessage,
  HedgeMessage,
  InstanceMessage,
  MirrorMessage,
  RegistrationMessage,
  RequestMessage,
  RetryDeniedMessage,
  RetryMessage,
  ServerConnectionMessage,
  ServingMessage,
  TraceMessage,
} from "./telemetry/channel-messages.ts";
export { isMeshRequest } from "./telemetry/spans/spans.ts";
