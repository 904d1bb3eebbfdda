import type { MeshReading } from "../../core/observing/reading.ts";
import { instanceStates } from "../../core/upstream.ts";
import { type SeriesOptions, ServiceSeries } from "./service-series.ts";

/** The `server.service.name` of every service that discovery has not resolved. */
const unknownService = "_unknown";

/**
 * The services that have a name in metrics: those that discovery has resolved once, the first `max` of them. All others
 * share one state, so names that come from outside (or a DNS wildcard that resolves any) cannot make series.
 */
export class NamedServices {
  readonly unknown: ServiceSeries;
  readonly #byName = new Map<string, ServiceSeries>();
  readonly #max: number;
  readonly #options: SeriesOptions;

  constructor(max: number, options: SeriesOptions) {
    this.#max = max;
    this.#options = options;
    this.unknown = new ServiceSeries(unknownService, options);
  }

  /** What measurements of `service` are recorded under. */
  find(service: string): ServiceSeries {
    return this.#byName.get(service) ?? this.unknown;
  }

  /** For what is remembered of a service: behind `_unknown` many would overwrite each other, and pile up. */
  named(service: string): ServiceSeries | undefined {
    return this.#byName.get(service);
  }

  /** Like {@link find}, for a service that discovery has just resolved. */
  resolve(service: string): ServiceSeries {
    let state = this.#byName.get(service);
    if (state === undefined) {
      if (this.#byName.size >= this.#max) return this.unknown;
      state = new ServiceSeries(service, this.#options);
      this.#byName.set(service, state);
    }
    return state;
  }

  /** Gives their names to services that `mesh` has endpoints of already. */
  takeFrom(mesh: MeshReading): void {
    for (const { service, endpoints } of mesh.services()) {
      if (instanceStates.some((state) => endpoints[state] > 0)) this.resolve(service);
    }
  }

  /** Those with a name, and the one that all others share. */
  *all(): Generator<ServiceSeries> {
    yield this.unknown;
    yield* this.#byName.values();
  }
}
