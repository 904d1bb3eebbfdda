import type { Endpoint } from "../../core/endpoint.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import type { RegistryCopies } from "./registry-copies.ts";

/** Yields the endpoints of `service` in each copy of the registry, the same array while nothing has changed; ends when `signal` aborts. */
export async function* watchService(
  service: string,
  copies: RegistryCopies,
  signal: AbortSignal,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const leave = copies.enter(service);
  try {
    let snapshot = await copies.first(service, signal);
    let last: readonly Endpoint[] | undefined;
    while (!signal.aborted) {
      const { endpoints, leftOut } = await snapshot.find(service);
      last = keepIfSame(last, endpoints);
      // Also when nothing changed: it confirms that the data is current. Never certain: a Eureka server that starts is empty.
      yield { endpoints: last, certain: false, leftOut };
      snapshot = await copies.next(service, snapshot, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    leave();
  }
}
