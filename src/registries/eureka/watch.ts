import type { Endpoint } from "../../core/endpoint.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import type { RegistryCopy } from "./registry-copy.ts";
import type { RegistrySnapshot } from "./registry-snapshot.ts";

/** Yields the endpoints of `service` in each copy of the registry, the same array while nothing has changed; ends when `signal` aborts. */
export async function* watchService(
  service: string,
  copy: RegistryCopy<RegistrySnapshot>,
  signal: AbortSignal,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  try {
    // A copy that lists the service is enough. For one that does not, a new copy is fetched: the service may have started since.
    let snapshot = await copy.first((known) => known.find(service).length > 0, signal);
    let last: readonly Endpoint[] | undefined;
    while (!signal.aborted) {
      last = keepIfSame(last, snapshot.find(service));
      // Also when nothing changed: it confirms that the data is current. Never certain: a Eureka server that starts is empty.
      yield { endpoints: last, certain: false, leftOut: snapshot.leftOut(service) };
      snapshot = await copy.next(snapshot, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
