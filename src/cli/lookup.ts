import type { Discovery, EndpointsUpdate, Observer } from "../extend.ts";
import { createMesh, type Mesh } from "../index.ts";

/** A mesh that watches services and never calls one. */
export interface WatchingMesh {
  readonly mesh: Mesh;
  /** Begins to watch a service. Rejects with `ERR_MESH_INVALID_TARGET` for a name that no target can hold. */
  watch(service: string): Promise<void>;
}

/** Makes a mesh that hands `observer` the answers of discovery, as a mesh that makes calls would use them. */
export function watchingMesh(discovery: Discovery, observer: Observer): WatchingMesh {
  const mesh = createMesh({ discovery, observers: [observer], drainTimeoutMs: 0 });
  return {
    mesh,
    async watch(service) {
      await mesh.warm(service, { maxInstances: 0 });
    },
  };
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
  const watching = watchingMesh(discovery, {
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
    await watching.watch(service);
    const update = await answer.promise;
    return await use({ update, mesh: watching.mesh, ms: performance.now() - startedAt });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    await watching.mesh.close();
  }
}
