import type { Route } from "./route.ts";

/** A place that routes come from and change in while the mesh runs: a file, a key of Consul, a control plane. */
export interface RouteSource {
  /** The name in errors and events. */
  readonly name: string;
  /**
   * Tells of the routes, and of each change of them, always of the whole table; of what it cannot read, by `onError`. A table that is wrong is refused as a
   * whole and the one before stays. Returns its end, which releases all that it has begun.
   */
  watch(onRoutes: (routes: readonly Route[]) => void, onError: (error: Error) => void): () => void;
}
