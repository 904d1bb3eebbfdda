import type { RegistrationEvent } from "../../core/observing/events.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import type { RegistrationState } from "../../core/observing/registration-state.ts";
import { attribute } from "../attribute-names.ts";
import type { GaugeKey, Report, Sink } from "./metric-sink.ts";
import { OwnServices } from "./own-services.ts";

const states: readonly Exclude<RegistrationState, "deregistered">[] = ["pending", "registered", "failing"];

/** The metrics of what this process has registered. The names of the services are its own, so that each has series. */
export class RegistrationMetrics {
  readonly #series = new OwnServices(attribute.registrationState);
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** A zero too, from the registration on: of a series that begins with its only increase, rates show none. */
  readonly count = ({ service, lost }: RegistrationEvent): void => {
    this.#sink.current()?.registrationLosses.add(lost ? 1 : 0, this.#series.of(service).attributes);
  };

  /** Reports the registrations of `mesh`, also a zero for each state of a service whose registrations have ended. */
  report(mesh: MeshReading, report: Report<GaugeKey>): void {
    this.#series.countStates(mesh.registrations(), states, (count, attributes) => report("registrations", count, attributes));
  }
}
