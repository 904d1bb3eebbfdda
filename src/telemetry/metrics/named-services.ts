import type { MeshReading } from "../../core/observing/reading.ts";
import { instanceStates } from "../../core/upstream.ts";
import { type SeriesOptions, ServiceSeries } from "./service-series.ts";

/** The `server.service.name` of all services that discovery has not resolved. */
const unknownService = "_unknown";

/**
 * The services that have a name in metrics: the first `max` that discovery has resolved to an endpoint. All others share one state, so that
 * names from outside, or a DNS wildcard that resolves any name, make no series.
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

  /** The series of `service`; those of `_unknown` for a service without a name. */
  find(service: string): ServiceSeries {
    return this.#byName.get(service) ?? this.unknown;
  }

  /** The series of a service that has a name. For what is remembered per service: `_unknown` stands for any number of them. */
  named(service: string): ServiceSeries | undefined {
    return this.#byName.get(service);
  }

  /** Like {@link find} for a service that discovery has resolved: gives it a name while there is room. */
  resolve(service: string): ServiceSeries {
    let state = this.#byName.get(service);
    if (state === undefined) {
      if (this.#byName.size >= this.#max) return this.unknown;
      state = new ServiceSeries(service, this.#options);
      this.#byName.set(service, state);
    }
    return state;
  }

  /** Gives names to the services of which `mesh` has endpoints already. */
  takeFrom(mesh: MeshReading): void {
    for (const { service, endpoints } of mesh.services()) {
      if (instanceStates.some((state) => endpoints[state] > 0)) this.resolve(service);
    }
  }

  /** The series of every service with a name, after those of `_unknown`. */
  *all(): Generator<ServiceSeries> {
    yield this.unknown;
    yield* this.#byName.values();
  }
}
