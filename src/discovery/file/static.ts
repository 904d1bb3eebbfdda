import type { Endpoint } from "../../core/endpoint.ts";
import type { Discovery } from "../discovery.ts";
import { readServiceList, type ServiceList } from "./service-list.ts";

/**
 * Endpoints that are written down in code. Checked at once: a `TypeError` names service, entry and value. A service that is
 * not in the list has no endpoints.
 */
export function staticDiscovery(services: ServiceList): Discovery {
  const list = readServiceList(services, "staticDiscovery");
  return {
    name: "static list",
    emptyPolicy: "trust",
    async *watch(service, signal) {
      // The end of a watch has the watcher ask again a few seconds later: a list in code never gets old.
      if (!signal.aborted) yield list.get(service) ?? none;
    },
    services: async () => [...list.keys()],
  };
}

/** One array for every unknown service, so that a watcher sees that nothing has changed. */
const none: readonly Endpoint[] = Object.freeze([]);
