import type { Send } from "../core/stages/stage.ts";
import { LiveRoutes } from "./live-routes.ts";
import type { SendCopy, SentCopies } from "./mirror/copy.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { routeStage } from "./route-stage.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The parts that {@link Routing} works with. */
export interface RoutingParts extends Omit<RuleStageParts, "copies"> {
  /** Sends the copy of a call to the service that it names. */
  readonly sendCopy: SendCopy;
}

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  /** Passes a call to the service that its rule says. */
  readonly send: Send;
  readonly #routes: LiveRoutes;
  readonly #copies: SentCopies;

  constructor(routes: readonly Route[] | RouteSource, parts: RoutingParts) {
    this.#copies = { sendCopy: parts.sendCopy, underWay: new Set() };
    this.#routes = new LiveRoutes(routes, { check: () => {} });
    this.send = routeStage({ ...parts, routes: this.#routes, copies: this.#copies });
  }

  close(): void {
    this.#routes.close();
    for (const copy of this.#copies.underWay) copy.cancel();
  }
}
