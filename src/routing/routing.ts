import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { Send } from "../core/stages/stage.ts";
import { Canaries } from "./canary/canaries.ts";
import type { CanaryState } from "./canary/canary-state.ts";
import { checkSharedKeys } from "./canary/shared-keys.ts";
import { checkRoutedServices, checkRoutes, type RefusalOf } from "./checks/check-routes.ts";
import { LiveRoutes } from "./live-routes.ts";
import type { SendCopy, SentCopies } from "./mirror/copy.ts";
import type { RoutableRequest } from "./matching/routed-call.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { RouteStage } from "./route-stage.ts";
import type { RouteTable } from "./route-table.ts";
import { routedByAgent } from "./routed-by-agent.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The parts of {@link Routing}. */
export interface RoutingParts extends Omit<RuleStageParts, "copies"> {
  /** Sends the copy of a call to the service that it names. */
  readonly sendCopy: SendCopy;
  /** Why routes may not lead to a service. */
  readonly refusalOf: RefusalOf;
  /** Where several processes decide on canaries together. */
  readonly canaryState?: CanaryState | undefined;
  /** The name of this process among them. */
  readonly processName: string;
  /** Told of each table that is in force: subsets of the one before are used no more. */
  readonly onTable?: () => void;
}

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  readonly live: LiveRoutes;
  readonly canaries: Canaries;
  readonly #stage: RouteStage;
  readonly #copies: SentCopies;
  readonly #parts: RoutingParts;

  /** Routes in code have been checked with the options; those of a source are as they come. */
  constructor(routes: readonly Route[] | RouteSource, parts: RoutingParts) {
    const { refusalOf, sendCopy } = parts;
    const check = (given: readonly Route[]): void => {
      checkRoutes("routes", given);
      checkRoutedServices("routes", given, refusalOf);
      checkSharedKeys("routes", given, parts.canaryState !== undefined);
    };
    this.canaries = new Canaries({ ...parts, state: parts.canaryState });
    this.#parts = parts;
    this.#copies = { sendCopy, underWay: new Set() };
    this.live = new LiveRoutes(routes, { check, liveWeightsOf: this.canaries.weightsOf, onTable: this.#onTable });
    this.#stage = new RouteStage({ ...parts, routes: this.live, copies: this.#copies });
  }

  readonly #onTable = ({ rules }: RouteTable): void => {
    this.canaries.keep(new Set(rules.map(({ live }) => live)));
    this.#parts.onTable?.();
  };

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

  close(): void {
    this.live.close();
    this.canaries.end();
    for (const copy of this.#copies.underWay) copy.cancel();
  }
}
