import { attribute } from "../../attribute-names.ts";
import type { MetricDefinition } from "../metric-definition.ts";
import type { MetricKey } from "../metric-sink.ts";

/** The metrics of canaries. */
export const canaryMetricTable = {
  canaryChanges: {
    name: "inmesh.canary.changes",
    kind: "counter",
    unit: "{change}",
    description:
      "Changes of canaries, by kind: they began, took a step, hold, were rolled back, have finished; their shared state was lost or found.",
    attributes: [attribute.routeRule, attribute.canaryChange],
  },
  canaryState: {
    name: "inmesh.canary.state",
    kind: "observable gauge",
    unit: "{canary}",
    description: "1 for the state that a canary is in, 0 for the others.",
    attributes: [attribute.routeRule, attribute.canaryState],
  },
  canaryShare: {
    name: "inmesh.canary.share",
    kind: "observable gauge",
    unit: "{share}",
    description: "The share of the calls of its rule that this process gives to a canary, 0 to 1.",
    attributes: [attribute.routeRule],
  },
} satisfies Partial<Record<MetricKey, MetricDefinition>>;
