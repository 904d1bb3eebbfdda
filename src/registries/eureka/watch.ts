import type { Endpoint } from "../../core/endpoint.ts";
import type { RegistryCopy } from "./registry-copy.ts";
import type { RegistrySnapshot } from "./registry-snapshot.ts";

/** Yields the endpoints of `service` and again whenever a newer copy of the registry has others; ends when `signal` aborts. */
export async function* watchService(
  service: string,
  copy: RegistryCopy<RegistrySnapshot>,
  signal: AbortSignal,
): AsyncGenerator<readonly Endpoint[], void, undefined> {
  try {
    // A copy that lists the service will do; for one that does not it is worth asking anew: it may have started since.
    let snapshot = await copy.first((known) => known.find(service).endpoints.length > 0, signal);
    let content: string | undefined;
    while (!signal.aborted) {
      const found = snapshot.find(service);
      if (found.content !== content) {
        content = found.content;
        yield found.endpoints;
      }
      snapshot = await copy.next(snapshot, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
