import type { Attributes } from "@opentelemetry/api";
import type { RegistrationEvent } from "../../core/observing/events.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import type { RegistrationState } from "../../core/observing/registration-state.ts";
import { attribute } from "../attribute-names.ts";
import { ValueSets } from "./attribute-sets.ts";
import type { GaugeKey, Report, Sink } from "./metric-sink.ts";

interface Series {
  readonly attributes: Attributes;
  readonly states: ValueSets;
}

const states: readonly Exclude<RegistrationState, "deregistered">[] = ["pending", "registered", "failing"];

/** The metrics of what this process has registered. The names of the services are its own, so that each has series. */
export class RegistrationMetrics {
  readonly #byService = new Map<string, Series>();
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  readonly count = ({ service, lost }: RegistrationEvent): void => {
    if (lost) this.#sink.current()?.registrationLosses.add(1, this.#of(service).attributes);
  };

  /** Reports the registrations of `mesh`, also a zero for each state of a service whose registrations have ended. */
  report(mesh: MeshReading, report: Report<GaugeKey>): void {
    const all = mesh.registrations();
    for (const { service } of all) this.#of(service);
    for (const [service, series] of this.#byService) {
      const own = all.filter((each) => each.service === service);
      for (const state of states) report("registrations", own.filter((each) => each.state === state).length, series.states.of(state));
    }
  }

  #of(service: string): Series {
    let series = this.#byService.get(service);
    if (series === undefined) {
      const attributes = { [attribute.service]: service };
      series = { attributes, states: new ValueSets(attributes, attribute.registrationState) };
      this.#byService.set(service, series);
    }
    return series;
  }
}
