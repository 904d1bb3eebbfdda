import type { Tracer, TracerProvider } from "@opentelemetry/api";
import { scopeName, scopeVersion } from "../attribute-names.ts";
import { openTelemetryApi } from "../open-telemetry-api.ts";

/**
 * The tracer of the provider that is registered now. The API's own proxy also finds a provider registered later, but does not tell whether
 * there is one: spans without an SDK cost 60 ns each, and the context around each attempt more.
 */
export class TracerSource {
  #delegate: TracerProvider | undefined = undefined;
  #tracer: Tracer | undefined = undefined;

  /** `undefined` while no SDK is registered; finding that out costs nanoseconds. */
  current(): Tracer | undefined {
    const api = openTelemetryApi();
    if (api === undefined) return undefined;
    const provider = api.trace.getTracerProvider();
    const delegate = delegateOf(provider);
    if (delegate === this.#delegate) return this.#tracer;
    this.#delegate = delegate;
    // The delegate of a proxy without an SDK behind it, which the API exports in no other way.
    const noopProvider = new api.ProxyTracerProvider().getDelegate();
    this.#tracer = delegate === noopProvider ? undefined : provider.getTracer(scopeName, scopeVersion);
    return this.#tracer;
  }
}

// By its shape and not by instanceof: the proxy may have been registered by another copy of the API.
function delegateOf(provider: TracerProvider & { getDelegate?: () => TracerProvider }): TracerProvider {
  return typeof provider.getDelegate === "function" ? provider.getDelegate() : provider;
}
