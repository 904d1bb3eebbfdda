import { attribute } from "../attribute-names.ts";
import type { MetricDefinition } from "./metric-definition.ts";
import type { MetricKey } from "./metric-sink.ts";

const { service, routeRule, routeTarget } = attribute;

/** The metrics of routes. */
export const routeMetricTable = {
  routeCalls: {
    name: "inmesh.route.calls",
    kind: "counter",
    unit: "{call}",
    description: "Calls of a mesh with routes that have ended, by the rule that decided on them and its target. `_none`: no rule matched.",
    attributes: [routeRule, routeTarget, attribute.outcome],
  },
  mirrors: {
    name: "inmesh.mirrors",
    kind: "counter",
    unit: "{copy}",
    description: "Copies of calls that were sent to a mirror and have ended.",
    attributes: [service, routeRule, attribute.mirrorOutcome],
  },
  mirrorsLeftOut: {
    name: "inmesh.mirrors.left_out",
    kind: "counter",
    unit: "{copy}",
    description: "Copies of calls that a rule asks for and that were not sent, by the reason.",
    attributes: [service, routeRule, attribute.mirrorOmission],
  },
  faults: {
    name: "inmesh.faults",
    kind: "counter",
    unit: "{fault}",
    description: "Faults that rules have made on purpose.",
    attributes: [service, routeRule, attribute.fault],
  },
} satisfies Partial<Record<MetricKey, MetricDefinition>>;
