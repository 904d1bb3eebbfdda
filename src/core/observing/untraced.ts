/** A context of OpenTelemetry's API, as far as it is used. */
interface Context {
  setValue(key: symbol, value: unknown): Context;
}

interface ContextManager {
  active(): Context;
  with<T>(context: Context, work: () => T): T;
}

// The API keeps its global parts there, for every copy of it with the same major version.
const globalApi = Symbol.for("opentelemetry.js.api.1");
/** The key that OpenTelemetry's SDK and instrumentations read; `@opentelemetry/core` sets it to suppress tracing. */
const suppressed = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/**
 * Runs `work` where tracing is suppressed, if OpenTelemetry traces this process. For requests of our own, such as those to a registry: they
 * belong to no request of the user, and instrumentations of `node:http` would make a root span of each poll and heartbeat. It reads the
 * API's global object, since the package may not be installed.
 */
export function untraced<T>(work: () => T): T {
  const manager = managerOf();
  if (manager === undefined) return work();
  let context: Context;
  try {
    context = manager.active().setValue(suppressed, true);
  } catch {
    // A foreign object in that place is no reason to fail.
    return work();
  }
  return manager.with(context, work);
}

function managerOf(): ContextManager | undefined {
  const manager: unknown = (globalThis as { readonly [globalApi]?: { readonly context?: unknown } })[globalApi]?.context;
  const { active, with: run } = (manager ?? {}) as Partial<ContextManager>;
  return typeof active === "function" && typeof run === "function" ? (manager as ContextManager) : undefined;
}
