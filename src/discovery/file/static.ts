import type { Discovery, DiscoveryAnswer } from "../discovery.ts";
import { readServiceList, type ServiceList } from "./service-list.ts";

/**
 * Endpoints that are listed in code. The list is checked at once: a `TypeError` names service, entry and value. A service that is not in
 * the list has no endpoints.
 */
export function staticDiscovery(services: ServiceList): Discovery {
  const list = readServiceList(services, "staticDiscovery");
  // Not certain: as the secondary of a `fallback` the list knows nothing of the primary's instances. Alone it is trusted by its policy.
  const answers = new Map<string, DiscoveryAnswer>([...list].map(([service, endpoints]) => [service, { endpoints, certain: false }]));
  return {
    name: "static list",
    emptyPolicy: "trust",
    allowSocketPaths: true,
    async *watch(service, signal) {
      // The watcher asks again some seconds after the end of a watch, so the age of the data stays small.
      if (!signal.aborted) yield answers.get(service) ?? unknownService;
    },
    services: async () => [...list.keys()],
  };
}

/** One answer for every unknown service, so that the same array confirms it. */
const unknownService: DiscoveryAnswer = { endpoints: Object.freeze([]), certain: false };
