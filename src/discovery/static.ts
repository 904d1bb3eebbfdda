import type { Discovery } from "./discovery.ts";
import { readServiceList, type ServiceList } from "./service-list.ts";
import { Wakeup } from "./wakeup.ts";

/**
 * Endpoints that are written down in code. Checked at once: a `TypeError` names service, entry and value. A service that is
 * not in the list has no endpoints.
 */
export function staticDiscovery(services: ServiceList): Discovery {
  const list = readServiceList(services, "staticDiscovery");
  // Nothing ever changes, so it is never woken.
  const changes = new Wakeup();
  return {
    name: "static list",
    emptyPolicy: "trust",
    async *watch(service, signal) {
      if (signal.aborted) return;
      yield list.get(service) ?? [];
      await changes.wait(signal);
    },
    services: async () => [...list.keys()],
  };
}
