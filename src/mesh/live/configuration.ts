import type { Clock, Random } from "../../core/clock.ts";
import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import { equalValues } from "../../core/settings/equal-values.ts";
import { interceptorOf, type Send } from "../../core/stages/stage.ts";
import type { EdgeLimits } from "../../fetch/fetch.ts";
import { deadline, timeoutOption } from "../../policies/deadline.ts";
import type { Canaries } from "../../routing/canary/canaries.ts";
import { isSource } from "../../routing/live-routes.ts";
import type { SendCopy } from "../../routing/mirror/copy.ts";
import type { RouteSource } from "../../routing/route-source.ts";
import { Routing } from "../../routing/routing.ts";
import type { CallTracing } from "../../telemetry/observing/call-tracing.ts";
import type { Observers } from "../../telemetry/observing/observers.ts";
import { edgeLimits } from "../edge-limits.ts";
import { type MeshOptions, refusalOfRoute, wholeMeshOptions } from "../mesh-options.ts";
import { callPipeline } from "../pipeline.ts";
import { ServiceNames } from "../service-names.ts";
import { type ServiceOptions, withOverrides } from "../service-options.ts";

/** The parts of a mesh that all of its configurations share. */
export interface ConfigurationParts {
  readonly observers: Observers;
  readonly tracing: CallTracing;
  readonly clock: Clock;
  readonly random: Random;
  /** Passes a call to its service. */
  readonly send: Send;
  /** Sends the copy of a call to its service. */
  readonly sendCopy: SendCopy;
  readonly canaries: Canaries;
  /** Hears of the routes that a source has, and of those that are refused. */
  readonly told: {
    readonly configured: (source: RouteSource) => void;
    readonly refused: (source: RouteSource, error: Error) => void;
  };
  /** The error of every call, once the mesh is closed. */
  readonly closedError: (service: string) => Error | undefined;
}

/** The longest time of an upgrade up to its answer, in milliseconds. */
const upgradeTimeoutMs = 10_000;

/** One configuration of a mesh: a call begins by one and ends by the same. */
export class Configuration {
  readonly options: MeshOptions;
  readonly names: ServiceNames;
  /** Sends a call down the pipeline. */
  readonly send: Send;
  readonly limitsOf: (service: string) => EdgeLimits;
  readonly upgradeDeadline: Interceptor;
  readonly routing: Routing | undefined;
  readonly #overrides: ReadonlyMap<string, ServiceOptions | undefined>;
  readonly #parts: ConfigurationParts;

  /**
   * Makes it without putting it in force. Routes that are those of the former one go on with what they know.
   * @throws Error of what the options make, such as an interceptor
   */
  constructor(options: MeshOptions, parts: ConfigurationParts, former?: Configuration) {
    const { services, serviceNames, routes } = wholeMeshOptions.settle(options);
    const { observers, clock, tracing, send } = parts;
    this.options = options;
    this.#parts = parts;
    this.names = new ServiceNames(serviceNames);
    this.#overrides = new Map(Object.entries(services));
    this.limitsOf = edgeLimits(options, this.#overrides, clock);
    const isSame =
      former !== undefined && equalValues(former.options.routes, routes) && equalValues(former.options.serviceNames, options.serviceNames);
    this.routing = isSame ? former.routing : routes && this.#newRouting(routes);
    const limit = timeoutOption.settle(options).timeoutMs;
    const limitOf = ({ service }: MeshRequest) => this.#overrides.get(service)?.timeoutMs ?? limit;
    const limitOfUpgrade = (request: MeshRequest) => Math.min(limitOf(request) || upgradeTimeoutMs, upgradeTimeoutMs);
    this.upgradeDeadline = interceptorOf(deadline({ limitOf: limitOfUpgrade, clock, configuration: this }));
    const interceptors = options.interceptors ?? [];
    const route = this.routing?.send ?? send;
    const pipeline = callPipeline({ observers, clock, limitOf, configuration: this, interceptors, route });
    // Above the interceptors, which may answer calls by themselves.
    this.send = (request, receiver) => {
      const refusal = this.refusalOf(request.service);
      if (refusal === undefined) tracing.send(request, receiver, pipeline);
      else receiver.failed(refusal);
    };
  }

  #newRouting(routes: NonNullable<MeshOptions["routes"]>): Routing {
    const { observers, clock, random, send, sendCopy, canaries, told } = this.#parts;
    const refusalOf = refusalOfRoute(this.names);
    const changes = isSource(routes)
      ? { onTable: () => told.configured(routes), onRefused: (error: Error) => told.refused(routes, error) }
      : {};
    return new Routing(routes, { clock, random, events: observers, send, sendCopy, refusalOf, canaries, ...changes });
  }

  /** The error of a call that may not be made: the mesh is closed, or its options do not list the service. */
  refusalOf(service: string): Error | undefined {
    return this.#parts.closedError(service) ?? this.names.refusalOf(service, "call");
  }

  /**
   * The request, whose service may be called: routes are asked of no others.
   * @throws the error of {@link refusalOf}
   */
  allowed(request: MeshRequest): MeshRequest {
    const refusal = this.refusalOf(request.service);
    if (refusal !== undefined) throw refusal;
    return request;
  }

  /** Whether the program itself has named this service. */
  isOwnName(service: string): boolean {
    return this.options.serviceNames !== undefined || this.#overrides.has(service) || this.routing?.leadsTo(service) === true;
  }

  /** The options of a service, and its own interceptors. */
  of(service: string): { readonly options: ServiceOptions; readonly interceptors: readonly Interceptor[] } {
    const own = this.#overrides.get(service);
    return { options: withOverrides(this.options, own), interceptors: own?.interceptors ?? [] };
  }
}
