import { attribute } from "../../attribute-names.ts";
import type { MetricDefinition } from "../metric-definition.ts";
import type { MetricKey } from "../metric-sink.ts";

/** The metrics of the configuration of a mesh. */
export const configMetricTable = {
  configChanges: {
    name: "inmesh.config.changes",
    kind: "counter",
    unit: "{change}",
    description: "Configurations that were put in force while the mesh ran, and those that were refused.",
    attributes: [attribute.configResult],
  },
  configAge: {
    name: "inmesh.config.age",
    kind: "observable gauge",
    unit: "s",
    description: "Time since the configuration in force was put in force.",
    attributes: [],
  },
  configRefused: {
    name: "inmesh.config.refused",
    kind: "observable gauge",
    unit: "{configuration}",
    description: "1 while the newest configuration is refused and an earlier one in force, else 0.",
    attributes: [],
  },
  configRestart: {
    name: "inmesh.config.restart_needed",
    kind: "observable gauge",
    unit: "{option}",
    description: "Options that the source of the configuration has otherwise, and that only a new mesh takes.",
    attributes: [],
  },
} satisfies Partial<Record<MetricKey, MetricDefinition>>;
