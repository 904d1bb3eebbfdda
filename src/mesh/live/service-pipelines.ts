import type { Dispatch, MeshRequest } from "../../core/dispatch.ts";
import type { ServiceReading } from "../../core/observing/reading.ts";
import type { Routed } from "../../core/routed.ts";
import { equalValues } from "../../core/settings/equal-values.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import type { RouteOptions } from "../../routing/route-options.ts";
import {
  type LayerOptions,
  latePipeline,
  nextPipeline,
  routePipeline,
  type ServiceParts,
  type ServicePipeline,
  servicePipeline,
} from "../pipeline.ts";
import type { PreparedStep } from "./prepared-step.ts";

/** Rules of which pipelines are kept at most. */
const maxRules = 10_000;

/** The pipeline of the calls by one rule. */
interface OfRule {
  readonly options: object;
  readonly pipeline: ServicePipeline;
  /** The pipeline of the service that it shares layers with. */
  readonly main: ServicePipeline;
}

/** The pipelines of a service by other options, before they are in force. */
export interface NextPipelines extends PreparedStep {
  readonly pipelines: ServicePipelines;
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
  /** The newest pipeline of each rule, since a table that is read again has other objects; `undefined` once others are in force. */
  #byRule: Map<string, OfRule> | undefined;

  constructor(
    options: LayerOptions,
    parts: ServiceParts,
    transport: Dispatch,
    former?: { main: ServicePipeline; byRule: Map<string, OfRule> },
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#transport = transport;
    this.main = former?.main ?? servicePipeline(options, parts, transport);
    this.#byRule = former?.byRule ?? new Map();
  }

  /** Builds those by other options, which go on with what is known. Nothing has changed when it throws. */
  next(options: LayerOptions, parts: ServiceParts): NextPipelines {
    const { pipeline: main, commit, abandon } = nextPipeline(this.main, options, parts, this.#transport);
    const byRule = this.#byRule ?? new Map<string, OfRule>();
    return {
      pipelines: new ServicePipelines(options, parts, this.#transport, { main, byRule }),
      abandon,
      commit: () => {
        this.#byRule = undefined;
        commit();
      },
    };
  }

  /**
   * Those of an earlier configuration, for calls that began by it before the service was first called: their own layers for what concerns a single call, and the ones
   * that are there for what has a state.
   */
  late(options: LayerOptions, parts: ServiceParts): ServicePipelines {
    const late = new ServicePipelines(options, parts, this.#transport, {
      main: latePipeline(this.main, options, parts, this.#transport),
      byRule: new Map(),
    });
    late.#byRule = undefined;
    return late;
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
    for (const ofRule of this.#byRule?.values() ?? []) disposeOwn(ofRule);
    this.#byRule?.clear();
    for (const layer of this.main.layers) layer?.dispose?.();
  }

  #of(rule: string, options: RouteOptions): ServicePipeline {
    const known = this.#byOptions.get(options);
    if (known !== undefined) return known;
    const former = this.#byRule?.get(rule);
    const isSame = former !== undefined && former.main === this.main && equalValues(former.options, options);
    const ofRule = isSame ? { ...former, options } : this.#build(rule, options, former);
    this.#byOptions.set(options, ofRule.pipeline);
    if (this.#byRule === undefined) {
      // A call of an earlier configuration that comes late: nothing would release this later.
      disposeOwn(ofRule);
      return ofRule.pipeline;
    }
    this.#byRule.delete(rule);
    this.#byRule.set(rule, ofRule);
    if (former !== undefined && !isSame) disposeOwn(former, ofRule.pipeline);
    this.#makeRoom(this.#byRule);
    return ofRule.pipeline;
  }

  /** Builds the pipeline of a rule. Its breaker goes on where it had one. */
  #build(rule: string, options: RouteOptions, former: OfRule | undefined): OfRule {
    const own = Object.keys(options).filter((name) => options[name as keyof RouteOptions] !== undefined);
    const given = { ...this.#options, ...Object.fromEntries(own.map((name) => [name, options[name as keyof RouteOptions]])) };
    const known = former?.pipeline.layers.map((layer, index) => (layer === former.main.layers[index] ? undefined : layer));
    const parts = { ...this.#parts, rule };
    const pipeline = routePipeline({ ofService: this.main, own, options: given, parts, transport: this.#transport, known });
    return { options, pipeline, main: this.main };
  }

  /** Rules that are gone leave their pipelines behind. */
  #makeRoom(byRule: Map<string, OfRule>): void {
    for (const [rule, ofRule] of byRule) {
      if (byRule.size <= maxRules) return;
      byRule.delete(rule);
      disposeOwn(ofRule);
    }
  }
}

/** Releases what a pipeline of a route has of its own, and its successor has not. Calls that are in it, or come yet, pass: a circuit that is disposed is closed. */
function disposeOwn({ pipeline, main }: OfRule, successor?: ServicePipeline): void {
  for (const [index, layer] of pipeline.layers.entries())
    if (layer !== main.layers[index] && layer !== successor?.layers[index]) layer?.dispose?.();
}
