import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { RuleReading } from "../core/observing/routes/route-reading.ts";
import type { Send } from "../core/stages/stage.ts";
import type { Canaries } from "./canary/canaries.ts";
import { checkSharedKeys } from "./canary/shared-keys.ts";
import { checkRoutedServices, checkRoutes, type RefusalOf } from "./checks/check-routes.ts";
import { explainRoute } from "./explain-route.ts";
import { LiveRoutes, type LiveRoutesOptions } from "./live-routes.ts";
import type { RoutableRequest } from "./matching/routed-call.ts";
import type { SendCopy, SentCopies } from "./mirror/copy.ts";
import { readRoutes } from "./read-routes.ts";
import type { Route } from "./route.ts";
import type { RouteExplanation } from "./route-explanation.ts";
import type { RouteSource } from "./route-source.ts";
import { RouteStage } from "./route-stage.ts";
import type { RouteTable } from "./route-table.ts";
import { routedByAgent } from "./routed-by-agent.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The parts of {@link Routing}. */
export interface RoutingParts extends Omit<RuleStageParts, "copies">, Pick<LiveRoutesOptions, "onTable" | "onRefused"> {
  /** Sends the copy of a call to the service that it names. */
  readonly sendCopy: SendCopy;
  /** Why routes may not lead to a service. */
  readonly refusalOf: RefusalOf;
  /** Those of the mesh, which go on from one table to the next. */
  readonly canaries: Canaries;
}

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  readonly live: LiveRoutes;
  readonly #stage: RouteStage;
  readonly #copies: SentCopies;
  readonly #parts: RoutingParts;
  #isInForce = false;

  /** Routes in code have been checked with the options; those of a source are as they come. */
  constructor(routes: readonly Route[] | RouteSource, parts: RoutingParts) {
    const { refusalOf, sendCopy } = parts;
    const check = (given: readonly Route[]): void => {
      checkRoutes("routes", given);
      checkRoutedServices("routes", given, refusalOf);
      checkSharedKeys("routes", given, parts.canaries.areShared);
    };
    this.#parts = parts;
    this.#copies = { sendCopy, underWay: new Set() };
    this.live = new LiveRoutes(routes, {
      check,
      liveWeightsOf: parts.canaries.weightsOf,
      onTable: this.#onTable,
      ...(parts.onRefused && { onRefused: parts.onRefused }),
    });
    this.#stage = new RouteStage({ ...parts, routes: this.live, copies: this.#copies });
  }

  readonly #onTable = (table: RouteTable): void => {
    if (this.#isInForce) this.#keepCanaries(table);
    this.#parts.onTable?.(table);
  };

  #keepCanaries({ rules }: RouteTable): void {
    this.#parts.canaries.keep(new Set(rules.map(({ live }) => live)));
  }

  /** It is in force from now on: canaries of those before have ended. Routes that are made may still be refused. */
  enter(): void {
    this.#isInForce = true;
    if (this.live.table !== undefined) this.#keepCanaries(this.live.table);
  }

  /** Passes a call to the service that its rule says. */
  get send(): Send {
    return this.#stage.send;
  }

  /** Routes an upgrade, whose way below is `inner`. Resolves with the response of that, or with the one that its rule makes. */
  upgrade(request: MeshRequest, inner: Dispatch): Promise<MeshResponse> {
    return this.#stage.through(request, inner);
  }

  /**
   * The request of a client that writes it by itself, as its rule sends it: to another service or a part of its instances. At once where there is a table.
   * @throws MeshError `ERR_MESH_ROUTE` for a rule with more than that.
   */
  byAgent(request: MeshRequest): MeshRequest | Promise<MeshRequest> {
    const { table } = this.live;
    if (table !== undefined) return routedByAgent(request, table, this.#parts.random);
    return new Promise<void>((goOn, fail) => this.live.whenReady(request, goOn, fail)).then(() => this.byAgent(request));
  }

  /** Which rule decides on a request, and why no earlier one does. Waits for the first table, for at most `limitMs` milliseconds. */
  async explain(request: MeshRequest, limitMs: number): Promise<RouteExplanation> {
    const { clock } = this.#parts;
    if (this.live.table === undefined) {
      const timer = clock.setTimer(() => request.cancellation.cancel(this.live.unready(request)), limitMs);
      await new Promise<void>((goOn, fail) => this.live.whenReady(request, goOn, fail)).finally(() => clock.clearTimer(timer));
    }
    return explainRoute(this.live.table, request);
  }

  /** The rules in force, with the shares of their targets at this moment. */
  read(): readonly RuleReading[] {
    return readRoutes(this.live.table);
  }

  /** Whether a rule sends calls to this service. */
  leadsTo(service: string): boolean {
    return this.live.table?.services.has(service) ?? false;
  }

  /** The name of the rule that a request comes to, as {@link LiveRoutes.ruleOf}. */
  ruleOf(request: RoutableRequest): string | undefined {
    return this.live.ruleOf(request);
  }

  /** The names of all rules; `undefined` while there is no table. */
  ruleNames(): readonly string[] | undefined {
    return this.live.table?.rules.map(({ name }) => name);
  }

  /** Others are in force: calls that wait for the first table of these go on by it, and nothing is watched any more once there is one. */
  retire(): void {
    this.#isInForce = false;
    this.live.retire();
  }

  close(): void {
    this.live.close();
    this.#parts.canaries.end();
    for (const copy of this.#copies.underWay) copy.cancel();
  }
}
