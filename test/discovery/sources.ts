import { sleepUnlessAborted, systemClock } from "../../src/core/clock.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Discovery, DiscoveryAnswer } from "../../src/discovery/discovery.ts";
import type { MemoryRegistry } from "../../src/testing/index.ts";

/** Neither answers nor fails. */
export const silent: Discovery = {
  async *watch(_service, signal) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  },
};

/** Polls a registry every `everyMs`; each answer consists of new objects. */
export function polled(registry: MemoryRegistry, everyMs = 1_000): Discovery {
  return {
    async *watch(service, signal) {
      while (!signal.aborted) {
        // Throws while the registry fails.
        await registry.services();
        yield registry.endpoints(service).map((endpoint) => ({ ...endpoint }));
        await sleepUnlessAborted(systemClock, everyMs, signal);
      }
    },
  };
}

/** The endpoints of what an adapter yielded. */
export function endpointsIn(yielded: readonly Endpoint[] | DiscoveryAnswer): readonly Endpoint[] {
  return "endpoints" in yielded ? yielded.endpoints : yielded;
}
