import { type Discovery, type EndpointsUpdate, type Observer, parseTarget } from "../extend.ts";
import { createMesh, type Mesh } from "../index.ts";

/**
 * Makes a mesh that watches one service and hands `observer` the answers of discovery, as a mesh that calls the service would use them.
 * No instance is called or connected to.
 * @throws MeshError `ERR_MESH_INVALID_TARGET` when `target` names no service.
 */
export function watchingMesh(discovery: Discovery, target: string, observer: Observer): Mesh {
  const { service } = parseTarget(target);
  const mesh = createMesh({ discovery, observers: [observer], drainTimeoutMs: 0 });
  // Begins the watch. It resolves after the first answer, which the observer gets, too; it never rejects.
  void mesh.warm(service, { maxInstances: 0 });
  return mesh;
}

/** The first answer of discovery for a service, and a mesh that has it. */
export interface Lookup {
  readonly update: EndpointsUpdate;
  readonly mesh: Mesh;
  /** Milliseconds to the answer. */
  readonly ms: number;
}

/** Options of {@link lookUp}. */
export interface LookupOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks for the endpoints of a service once and hands the answer to `use`. Rejects with the first error of discovery instead of asking
 * again, with an Error when there is no answer in time, and with the reason of the signal.
 */
export async function lookUp<T>(
  discovery: Discovery,
  service: string,
  { timeoutMs, signal }: LookupOptions,
  use: (lookup: Lookup) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const answer = Promise.withResolvers<EndpointsUpdate>();
  // A rejection after the lookup has ended must not be unhandled.
  answer.promise.catch(() => {});
  const mesh = watchingMesh(discovery, service, {
    onEvent(event) {
      if (event.type === "endpoints") answer.resolve(event);
      if (event.type === "discovery-error") answer.reject(event.error);
    },
  });
  const onAbort = (): void => answer.reject(signal.reason);
  const timer = setTimeout(
    () => answer.reject(new Error(`${discovery.name ?? "discovery"} has not answered within ${timeoutMs} ms`)),
    timeoutMs,
  );
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const update = await answer.promise;
    return await use({ update, mesh, ms: performance.now() - startedAt });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    await mesh.close();
  }
}
