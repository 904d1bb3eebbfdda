import { attribute } from "../attribute-names.ts";
import type { MetricDefinition } from "./metric-definition.ts";

/** The decisions of a policy on the requests of a server. */
export const authorizationMetric: MetricDefinition = {
  name: "inmesh.server.authorizations",
  kind: "counter",
  unit: "{request}",
  description:
    "Decisions on requests by the rules of this server, with the rule that decided; at most 100 of them get series of their own.",
  attributes: [attribute.authorizationDecision, attribute.authorizationRule],
};
