import type { Dispatch, MeshRequest } from "../../core/dispatch.ts";
import type { ServiceReading } from "../../core/observing/reading.ts";
import type { Routed } from "../../core/routed.ts";
import { equalValues } from "../../core/settings/equal-values.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import type { RouteOptions } from "../../routing/route-options.ts";
import { type LayerOptions, routePipeline, type ServiceParts, type ServicePipeline, servicePipeline } from "../pipeline.ts";

/** Rules of which pipelines are kept at most. */
const maxRules = 10_000;

/** The pipeline of the calls by one rule. */
interface OfRule {
  readonly options: object;
  readonly pipeline: ServicePipeline;
}

/**
 * The pipelines of one service, over the same instances, ledger and budget: the one of its options, and one for each route with options of its own. Those of
 * routes are built when they are first used.
 */
export class ServicePipelines {
  /** The pipeline of the options of the service. */
  readonly main: ServicePipeline;
  readonly #options: LayerOptions;
  readonly #parts: ServiceParts;
  readonly #transport: Dispatch;
  /** By the options of the route, of which there is one object for one rule of one table. */
  readonly #byOptions = new WeakMap<object, ServicePipeline>();
  /** The newest pipeline of each rule, since a table that is read again has other objects. */
  readonly #byRule = new Map<string, OfRule>();

  constructor(options: LayerOptions, parts: ServiceParts, transport: Dispatch) {
    this.#options = options;
    this.#parts = parts;
    this.#transport = transport;
    this.main = servicePipeline(options, parts, transport);
  }

  /** Sends a call by a rule that has options of its own. */
  sendRouted(request: MeshRequest, { rule }: Routed, options: RouteOptions, receiver: Receiver): void {
    const { call, cancellation } = request;
    const { timeoutMs } = options;
    if (timeoutMs === undefined || call === undefined) {
      this.#of(rule, options).send(request, receiver);
      return;
    }
    const deadline = call.limitBy(rule, timeoutMs);
    // The time of the rule has passed already.
    if (cancellation.cancelled) receiver.failed(cancellation.reason);
    else this.#of(rule, options).send({ ...request, deadline }, receiver);
  }

  /** The numbers of the layers of the service. Those of routes are none of the service's. */
  read(): Partial<ServiceReading> {
    return Object.assign({}, ...this.main.layers.map((layer) => layer?.reading?.()));
  }

  /** Releases the resources of all layers. */
  dispose(): void {
    for (const { pipeline } of this.#byRule.values()) this.#disposeOwn(pipeline);
    this.#byRule.clear();
    for (const layer of this.main.layers) layer?.dispose?.();
  }

  #of(rule: string, options: RouteOptions): ServicePipeline {
    const known = this.#byOptions.get(options);
    if (known !== undefined) return known;
    const former = this.#byRule.get(rule);
    const isSame = former !== undefined && equalValues(former.options, options);
    const pipeline = isSame ? former.pipeline : this.#build(rule, options);
    this.#byOptions.set(options, pipeline);
    this.#byRule.delete(rule);
    this.#byRule.set(rule, { options, pipeline });
    if (former !== undefined && !isSame) this.#disposeOwn(former.pipeline);
    this.#makeRoom();
    return pipeline;
  }

  #build(rule: string, options: RouteOptions): ServicePipeline {
    const own = Object.keys(options).filter((name) => options[name as keyof RouteOptions] !== undefined);
    const given = { ...this.#options, ...Object.fromEntries(own.map((name) => [name, options[name as keyof RouteOptions]])) };
    return routePipeline(this.main, own, given, { ...this.#parts, rule }, this.#transport);
  }

  /** Rules that are gone leave their pipelines behind. */
  #makeRoom(): void {
    for (const [rule, { pipeline }] of this.#byRule) {
      if (this.#byRule.size <= maxRules) return;
      this.#byRule.delete(rule);
      this.#disposeOwn(pipeline);
    }
  }

  /** Releases what a pipeline of a route has of its own. Calls that are in it, or come yet, pass: a circuit that is disposed is closed. */
  #disposeOwn({ layers }: ServicePipeline): void {
    for (const [index, layer] of layers.entries()) if (layer !== this.main.layers[index]) layer?.dispose?.();
  }
}
