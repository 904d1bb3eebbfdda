import type { Endpoint } from "../../core/endpoint.ts";
import { isCliffAfter } from "../../discovery/cliff.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { type Cancellation, cancelledAmong } from "./cancellations.ts";
import type { RegistryCopies } from "./registry-copies.ts";

/** The sources of a watch. */
export interface WatchSources {
  readonly copies: RegistryCopies;
  /** Asks for the instances that were deregistered in the last minutes. */
  readonly cancellations: (signal: AbortSignal) => Promise<readonly Cancellation[]>;
  readonly by: "app" | "vip";
}

/** Yields the endpoints of `service` in each copy of the registry, the same array while nothing has changed; ends when `signal` aborts. */
export async function* watchService(
  service: string,
  { copies, cancellations, by }: WatchSources,
  signal: AbortSignal,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const isOfService = (app: string) => by === "vip" || app === service.toUpperCase();
  const leave = copies.enter(service);
  try {
    let snapshot = await copies.first(service, signal);
    let last: readonly Endpoint[] | undefined;
    while (!signal.aborted) {
      const { endpoints: found, leftOut } = await snapshot.find(service);
      const before = last ?? [];
      const endpoints = keepIfSame(last, found);
      last = endpoints;
      // Also when nothing changed: it confirms that the data is current. Never certain: a Eureka server that starts is empty.
      yield { endpoints, certain: false, leftOut };
      if (isCliffAfter(before, endpoints)) {
        const cancelled = cancelledAmong(before, endpoints, await cancellations(signal), isOfService);
        if (cancelled.length > 0) yield { endpoints, certain: false, leftOut: [...leftOut, ...cancelled] };
      }
      snapshot = await copies.next(service, snapshot, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    leave();
  }
}
