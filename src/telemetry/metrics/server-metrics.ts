import type { ServingEvent } from "../../core/observing/events.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import { servingStates } from "../../core/observing/serving-state.ts";
import { attribute } from "../attribute-names.ts";
import type { GaugeKey, Report, Sink } from "./metric-sink.ts";
import { OwnServices } from "./own-services.ts";

/** States of a server that is there. */
const states = servingStates.filter((state) => state !== "stopped");

/** The metrics of the servers of this process. */
export class ServerMetrics {
  readonly #series = new OwnServices(attribute.serverState);
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** A zero too, as soon as the server serves: of a series that begins with its only increase, rates show none. */
  readonly count = ({ service, cutOff }: ServingEvent): void => {
    this.#sink.current()?.serverCutOff.add(cutOff, this.#series.of(service).attributes);
  };

  /** Reports the servers of `mesh`, also a zero for each state of a service whose servers have stopped. */
  report(mesh: MeshReading, report: Report<GaugeKey>): void {
    this.#series.countStates(mesh.servers(), states, (count, attributes) => report("servers", count, attributes));
  }
}
