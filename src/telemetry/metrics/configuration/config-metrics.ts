import type { Attributes } from "@opentelemetry/api";
import type { MeshReading } from "../../../core/observing/reading.ts";
import { attribute } from "../../attribute-names.ts";
import { ValueSets } from "../attribute-sets.ts";
import type { GaugeKey, Report, Sink } from "../metric-sink.ts";

const none: Attributes = {};

/** The metrics of the configuration of a mesh. */
export class ConfigMetrics {
  readonly #results = new ValueSets(none, attribute.configResult);
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Counts one that was put in force, or refused. */
  count(result: "applied" | "refused"): void {
    this.#sink.current()?.configChanges.add(1, this.#results.of(result));
  }

  report({ configuration }: MeshReading, report: Report<GaugeKey>): void {
    if (configuration === undefined) return;
    const { ageMs, refusal, restart } = configuration();
    report("configAge", ageMs / 1000, none);
    report("configRefused", refusal === undefined ? 0 : 1, none);
    report("configRestart", restart.length, none);
  }
}
