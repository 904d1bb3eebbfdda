import type { Send } from "../core/stages/stage.ts";
import { LiveRoutes } from "./live-routes.ts";
import type { RoutableRequest } from "./matching/routed-call.ts";
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

  /** The name of the rule that a request comes to, as {@link LiveRoutes.ruleOf}. */
  ruleOf(request: RoutableRequest): string | undefined {
    return this.#routes.ruleOf(request);
  }

  /** The names of all rules; `undefined` while there is no table. */
  ruleNames(): readonly string[] | undefined {
    return this.#routes.table?.rules.map(({ name }) => name);
  }

  close(): void {
    this.#routes.close();
  }
}
