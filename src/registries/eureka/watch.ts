import type { Endpoint } from "../../core/endpoint.ts";
import { isCliffAfter } from "../../discovery/cliff.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { type Cancellation, cancelledAmong } from "./cancellations.ts";
import type { RegistryCopy } from "./registry-copy.ts";
import type { RegistrySnapshot } from "./registry-snapshot.ts";

/** The sources of a watch. */
export interface WatchSources {
  readonly copy: RegistryCopy<RegistrySnapshot>;
  /** Asks for the instances that were deregistered in the last minutes. */
  readonly cancellations: (signal: AbortSignal) => Promise<readonly Cancellation[]>;
  readonly by: "app" | "vip";
}

/** Yields the endpoints of `service` in each copy of the registry, the same array while nothing has changed; ends when `signal` aborts. */
export async function* watchService(
  service: string,
  { copy, cancellations, by }: WatchSources,
  signal: AbortSignal,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const isOfService = (app: string) => by === "vip" || app === service.toUpperCase();
  try {
    // A copy that lists the service is enough. For one that does not, a new copy is fetched: the service may have started since.
    let snapshot = await copy.first((known) => known.find(service).length > 0, signal);
    let last: readonly Endpoint[] | undefined;
    while (!signal.aborted) {
      const before = last ?? [];
      const leftOut = snapshot.leftOut(service);
      const endpoints = keepIfSame(last, snapshot.find(service));
      last = endpoints;
      // Also when nothing changed: it confirms that the data is current. Never certain: a Eureka server that starts is empty.
      yield { endpoints, certain: false, leftOut };
      if (isCliffAfter(before, endpoints)) {
        const cancelled = cancelledAmong(before, endpoints, await cancellations(signal), isOfService);
        if (cancelled.length > 0) yield { endpoints, certain: false, leftOut: [...leftOut, ...cancelled] };
      }
      snapshot = await copy.next(snapshot, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
