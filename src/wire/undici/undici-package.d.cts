import type * as undici from "undici";

/**
 * Loads the classes of undici that the mesh uses, from their own files. The package's index loads fetch, caches, mocks and a SQLite store beside
 * them, which is two thirds of its cost, and sets the global dispatcher.
 */
export declare function load(): {
  readonly Pool: typeof undici.Pool;
  readonly Dispatcher: typeof undici.Dispatcher;
  readonly errors: typeof undici.errors;
  /** A request as undici's clients have it, which has no type there. */
  readonly Request: unknown;
};

/** Loads the client of any origin. */
export declare function loadAgent(): typeof undici.Agent;

/** Loads the methods that undici's index puts on every dispatcher. */
export declare function loadMethods(): Pick<undici.Dispatcher, "request" | "stream" | "pipeline" | "upgrade" | "connect">;
