import type { Send } from "../core/stages/stage.ts";
import { checkRoutedServices, checkRoutes, type RefusalOf } from "./checks/check-routes.ts";
import type { LiveWeightsOf } from "./compiled-rule.ts";
import { LiveRoutes } from "./live-routes.ts";
import type { RoutableRequest } from "./matching/routed-call.ts";
import type { SendCopy, SentCopies } from "./mirror/copy.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { routeStage } from "./route-stage.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The parts of {@link Routing}. */
export interface RoutingParts extends Omit<RuleStageParts, "copies"> {
  /** Sends the copy of a call to the service that it names. */
  readonly sendCopy: SendCopy;
  /** Why routes may not lead to a service. */
  readonly refusalOf: RefusalOf;
  readonly liveWeightsOf?: LiveWeightsOf;
}

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  /** Passes a call to the service that its rule says. */
  readonly send: Send;
  readonly live: LiveRoutes;
  readonly #copies: SentCopies;

  /** Routes in code have been checked with the options; those of a source are as they come. */
  constructor(routes: readonly Route[] | RouteSource, { refusalOf, sendCopy, ...parts }: RoutingParts) {
    this.#copies = { sendCopy, underWay: new Set() };
    const check = (given: readonly Route[]): void => {
      checkRoutes("routes", given);
      checkRoutedServices("routes", given, refusalOf);
    };
    this.live = new LiveRoutes(routes, { ...parts, check });
    this.send = routeStage({ ...parts, routes: this.live, copies: this.#copies });
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
    for (const copy of this.#copies.underWay) copy.cancel();
  }
}
