import { refuseOption } from "../core/settings/checks.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { custom } from "../core/settings/rules.ts";
import type { CanaryState } from "./canary/canary-state.ts";
import { checkRoutes } from "./checks/check-routes.ts";
import { routeRule } from "./checks/route-rules.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";

/** The option of the routes. */
export interface RoutesOption {
  /**
   * Rules on calls, before their service is chosen: where they go, what is changed, what is answered without an instance. The first that matches a call
   * decides on it alone. A list, or a source that may change it. @default none
   */
  readonly routes?: readonly Route[] | RouteSource;
  /**
   * Where several processes take one decision on the canaries that have a `sharedKey`, such as `consul({ … }).canaryState()`. Without it each process decides
   * alone. @default none
   */
  readonly canaryState?: CanaryState;
}

/** The rule of {@link RoutesOption}. */
export const routesOption = optionTable<RoutesOption>()({
  routes: custom<readonly Route[] | RouteSource | undefined>({
    type: "object[] | RouteSource",
    atOnce: true,
    default: undefined,
    defaultText: "none",
    items: routeRule,
    check(option, value) {
      if (Array.isArray(value)) {
        checkRoutes(option, value);
        return;
      }
      const source = value as Partial<RouteSource> | null;
      if (typeof source?.watch !== "function")
        refuseOption(option, value, "a list of routes, or a source of them: an object with name and watch");
    },
  }),
  canaryState: custom<CanaryState | undefined>({
    type: "CanaryState",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      const state = value as Partial<CanaryState> | null;
      if (typeof state?.read !== "function" || typeof state.write !== "function")
        refuseOption(option, value, "a CanaryState: an object with name, read and write");
    },
  }),
});
