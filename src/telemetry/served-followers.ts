import type { Context } from "@opentelemetry/api";
import type { ServedEnd, ServedObserver, ServedRequest } from "../core/observing/served-request.ts";
import type { ActiveCount, ServedMetrics } from "./metrics/served-metrics.ts";
import { loadedApi } from "./open-telemetry-api.ts";
import type { ServedSpan } from "./spans/served-spans.ts";

/** Follows a request that this process serves, and records its metrics. */
export class MeteredServed implements ServedObserver {
  readonly #metrics: ServedMetrics;
  readonly #request: ServedRequest;
  readonly #active: ActiveCount;

  constructor(metrics: ServedMetrics, request: ServedRequest) {
    this.#metrics = metrics;
    this.#request = request;
    this.#active = metrics.began(request);
  }

  onEnd(end: ServedEnd, context?: Context): void {
    this.#metrics.ended(this.#request, this.#active, end, context);
  }
}

/** Follows a request that has a span: runs its handler in the context of the span, so that calls made there are children of it. */
export class TracedServed implements ServedObserver {
  readonly #span: ServedSpan;
  readonly #metered: MeteredServed | undefined;

  constructor(span: ServedSpan, metered: MeteredServed | undefined) {
    this.#span = span;
    this.#metered = metered;
  }

  around<T>(run: () => T): T {
    return loadedApi().context.with(this.#span.context, run);
  }

  onEnd(end: ServedEnd): void {
    // A meter that throws must not leave the span open.
    try {
      this.#metered?.onEnd(end, this.#span.context);
    } finally {
      this.#span.end(end);
    }
  }
}
