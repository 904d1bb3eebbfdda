import type { Send } from "../core/stages/stage.ts";
import { LiveRoutes } from "./live-routes.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { routeStage } from "./route-stage.ts";
import type { RuleStageParts } from "./rule-stages.ts";

/** The routes of one mesh, between its interceptors and its services. */
export class Routing {
  /** Passes a call to the service that its rule says. */
  readonly send: Send;
  readonly #routes: LiveRoutes;

  constructor(routes: readonly Route[] | RouteSource, parts: RuleStageParts) {
    this.#routes = new LiveRoutes(routes, { check: () => {} });
    this.send = routeStage({ ...parts, routes: this.#routes });
  }

  /** Others are in force: calls that wait for the first table of these go on by it, and nothing is watched any more once there is one. */
  retire(): void {
    this.#routes.retire();
  }

  close(): void {
    this.#routes.close();
  }
}
