import type { Send } from "../core/stages/stage.ts";
import { checkRoutedServices, checkRoutes, type RefusalOf } from "./checks/check-routes.ts";
import type { LiveWeightsOf } from "./compiled-rule.ts";
import { LiveRoutes, type LiveRoutesOptions } from "./live-routes.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { routeStage } from "./route-stage.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The parts of {@link Routing}. */
export interface RoutingParts extends RuleStageParts, Pick<LiveRoutesOptions, "onTable" | "onRefused"> {
  /** Why routes may not lead to a service. */
  readonly refusalOf: RefusalOf;
  readonly liveWeightsOf?: LiveWeightsOf;
}

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  /** Passes a call to the service that its rule says. */
  readonly send: Send;
  readonly live: LiveRoutes;

  /** Routes in code have been checked with the options; those of a source are as they come. */
  constructor(routes: readonly Route[] | RouteSource, { refusalOf, ...parts }: RoutingParts) {
    const check = (given: readonly Route[]): void => {
      checkRoutes("routes", given);
      checkRoutedServices("routes", given, refusalOf);
    };
    this.live = new LiveRoutes(routes, { ...parts, check });
    this.send = routeStage({ ...parts, routes: this.live });
  }

  /** Whether a rule sends calls to this service. */
  leadsTo(service: string): boolean {
    return this.live.table?.services.has(service) ?? false;
  }

  /** Others are in force: calls that wait for the first table of these go on by it, and nothing is watched any more once there is one. */
  retire(): void {
    this.live.retire();
  }

  close(): void {
    this.live.close();
  }
}
