import { type BalanceOptions, balance } from "../attempts/balance.ts";
import type { Clock } from "../core/clock.ts";
import { compose, type Dispatch, type Interceptor, type MeshRequest } from "../core/dispatch.ts";
import { type BuiltLayer, type Layer, type LayerParts, layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { dispatchOf, type Send, sendOf } from "../core/stages/stage.ts";
import { wayThrough } from "../core/stages/way.ts";
import { attemptLimit, attemptTimeoutOption } from "../policies/attempt-timeout.ts";
import { authorizeLayer } from "../policies/authorize.ts";
import { concurrencyLayer } from "../policies/concurrency/concurrency-limit.ts";
import { deadline } from "../policies/deadline.ts";
import { delimitedBodyLayer } from "../policies/delimited-body.ts";
import { hedgeLayer } from "../policies/hedge/hedge.ts";
import { maxResponseBytesLayer } from "../policies/max-response-bytes.ts";
import { propagateLayer } from "../policies/propagate.ts";
import { retryLayer } from "../policies/retry/retry.ts";
import { serviceBreakerLayer } from "../policies/service-breaker.ts";
import { throttleLayer } from "../policies/throttle.ts";
import { tokenLayer } from "../policies/token/token-layer.ts";
import { observeAttempts, observeCalls } from "../telemetry/observing/observe.ts";
import type { Observers } from "../telemetry/observing/observers.ts";
import type { PreparedStep } from "./live/prepared-step.ts";

/** The parts of the first half of a call's way, which all calls share. */
export interface CallParts {
  readonly observers: Observers;
  readonly clock: Clock;
  /** The time limit of a call, where it has none of its own, in milliseconds; `false` = no limit. */
  readonly limitOf: (request: MeshRequest) => number | false;
  /** The configuration that the calls begin by. */
  readonly configuration?: object | undefined;
  /** The interceptors of the mesh, the first outermost. */
  readonly interceptors: readonly Interceptor[];
  /** Passes the call to its service. */
  readonly route: Send;
}

/** The first half of a call's way, the same for every service, before one is chosen. Composed once per mesh. */
export function callPipeline({ observers, clock, limitOf, configuration, interceptors, route }: CallParts): Send {
  // Once per call, within its deadline: credentials, headers, answers from a cache. Authorization and routing belong below them, since they may set
  // the identity of the caller.
  const intercepted = interceptors.length === 0 ? route : sendOf(compose(interceptors, dispatchOf(route)));
  // Bounds all that follows: the interceptors, the wait for discovery, attempts and pauses, the body.
  const bounded = deadline({ limitOf, clock, configuration })(intercepted);
  // Outermost: it observes the result that the caller gets, and the whole duration.
  return observeCalls(observers, clock)(bounded);
}

/** The interceptors of one service, inside those of the mesh. */
const interceptorsLayer = layer({
  name: "interceptors of the service",
  options: optionTable<object>()({}),
  build: (_, { interceptors }: { readonly interceptors: readonly Interceptor[] }) =>
    interceptors.length === 0 ? undefined : (next: Dispatch) => compose(interceptors, next),
});

/**
 * Picks the instance, bounds the attempt, counts it until its body has closed, and reports its outcome to the circuit of the instance, for which
 * a timeout is a failure.
 */
const instanceLayer = layer({
  name: "instance and its breaker",
  options: attemptTimeoutOption,
  build: ({ attemptTimeoutMs: timeoutMs }, { clock, ...parts }: Omit<BalanceOptions, "limitOf"> & Pick<LayerParts, "clock">) => ({
    stage: balance({ ...parts, limitOf: attemptLimit({ timeoutMs, clock }) }),
  }),
});

/** Innermost: it observes the attempt as the wire ended it. */
const observeAttemptsLayer = layer({
  name: "observe attempts",
  options: optionTable<object>()({}),
  build: (_, { observers, clock }: { readonly observers: Observers; readonly clock: Clock }) => observeAttempts(observers, clock),
});

/** The second half of a call's way, from its service down to the wire, outermost first. The response comes back up. */
export const serviceLayers = [
  interceptorsLayer,
  // Below the interceptors: it decides on what is really sent. Above the breakers: a call that is not sent says nothing of the service.
  authorizeLayer,
  // Below the users' interceptors, which do not see it; above all that blames an instance or the service for a failure.
  tokenLayer,
  // Above the breakers: a response that is refused here is no fault of an instance.
  delimitedBodyLayer,
  maxResponseBytesLayer,
  // Above the retries: it counts calls, not attempts, and refuses before any work is done.
  serviceBreakerLayer,
  // Below the breaker: calls that the breaker refuses were not refused by the service.
  throttleLayer,
  // Above the balancer: each attempt picks anew, among the instances that the call has not tried.
  retryLayer,
  // Below the retries, whose attempts it doubles, and charged to the same budget.
  hedgeLayer,
  // Attempts take places, not calls: a call that pauses before its retry holds none.
  concurrencyLayer,
  instanceLayer,
  // Each attempt has less time left than the one before.
  propagateLayer,
  observeAttemptsLayer,
] as const;

type ServiceLayer = (typeof serviceLayers)[number];
type OptionsOf<One> = One extends Layer<infer Options, infer _Parts> ? Options : never;
type PartsOf<One> = One extends Layer<infer _Options, infer Parts> ? Parts : never;
type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer Both) => void ? Both : never;

/** The options of every layer. */
export type LayerOptions = All<OptionsOf<ServiceLayer>>;

/** The parts that the layers of one service are built from. */
export type ServiceParts = LayerParts & All<PartsOf<ServiceLayer>>;

/** The built layers of one service, or of the calls by one of its routes. */
export interface ServicePipeline {
  readonly send: Send;
  /** The layers in the order of {@link serviceLayers}; `undefined` for one that the options switch off. */
  readonly layers: readonly (BuiltLayer | undefined)[];
}

// Each layer takes its part of the options and of the parts, which the types above ensure.
const all = serviceLayers as readonly unknown[] as readonly Layer<LayerOptions, ServiceParts>[];

/** Builds the layers that `options` ask for and puts them around `transport`. Composed once per service. */
export function servicePipeline(options: LayerOptions, parts: ServiceParts, transport: Dispatch): ServicePipeline {
  return pipelineOf(
    all.map((each) => each.build(options, parts)),
    transport,
  );
}

/** The parts that the pipeline of a route is built from. */
export interface RoutePipelineParts {
  readonly ofService: ServicePipeline;
  /** The names of the options that the route has of its own. */
  readonly own: readonly string[];
  readonly options: LayerOptions;
  readonly parts: ServiceParts;
  readonly transport: Dispatch;
  /** The layers of its own that the route had before: those with a state go on. */
  readonly known: readonly (BuiltLayer | undefined)[] | undefined;
}

/** The pipeline of the calls by one route: the layers that it has options for are its own, and all others are those of the service, with what they know. */
export function routePipeline({ ofService, own, options, parts, transport, known }: RoutePipelineParts): ServicePipeline {
  const layers = all.map((each, index) => {
    if (!each.options.names.some((name) => own.includes(name))) return ofService.layers[index];
    const layer = known?.[index];
    const step = layer?.adjust?.(options);
    if (step === undefined) return each.build(options, parts);
    step();
    return layer;
  });
  return pipelineOf(layers, transport);
}

/** A pipeline by other options, before they are in force: at its step, layers that go on with what they know take these. */
export interface NextPipeline extends PreparedStep {
  readonly pipeline: ServicePipeline;
}

/** Builds the pipeline of a service by other options: layers with a state go on, and all others are built anew. Nothing has changed when it throws. */
export function nextPipeline(former: ServicePipeline, options: LayerOptions, parts: ServiceParts, transport: Dispatch): NextPipeline {
  const steps: (() => void)[] = [];
  const built: BuiltLayer[] = [];
  const abandon = (): void => {
    for (const layer of built) layer.dispose?.();
  };
  const next = (each: (typeof all)[number], known: BuiltLayer | undefined): BuiltLayer | undefined => {
    if (known?.adjust === undefined) {
      const layer = each.build(options, parts);
      if (layer !== undefined) built.push(layer);
      return layer;
    }
    const step = known.adjust(options);
    steps.push(step ?? (() => known.retire?.()));
    return step === undefined ? undefined : known;
  };
  try {
    const layers = all.map((each, index) => next(each, former.layers[index]));
    const commit = (): void => {
      for (const step of steps) step();
    };
    return { pipeline: pipelineOf(layers, transport), abandon, commit };
  } catch (error) {
    abandon();
    throw error;
  }
}

/** The pipeline of options that are no longer in force: layers with a state are those that are there, and all others are built. */
export function latePipeline(present: ServicePipeline, options: LayerOptions, parts: ServiceParts, transport: Dispatch): ServicePipeline {
  const layers = all.map((each, index) => {
    const known = present.layers[index];
    if (known?.adjust !== undefined) return known;
    const layer = each.build(options, parts);
    if (layer?.adjust === undefined) return layer;
    // A limit or breaker that is in force no more.
    layer.dispose?.();
    return undefined;
  });
  return pipelineOf(layers, transport);
}

function pipelineOf(layers: ServicePipeline["layers"], transport: Dispatch): ServicePipeline {
  const present = layers.filter((each) => each !== undefined);
  return { send: wayThrough(present, transport).send, layers };
}
