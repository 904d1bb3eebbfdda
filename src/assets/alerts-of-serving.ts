import { type AlertDefinition, jobTemplate as job } from "./alert-definition.ts";
import { rate, ratio } from "./expressions.ts";
import type { Scope } from "./selection.ts";

/** Alerts on requests that the processes themselves serve. */
export function servingAlerts(scope: Scope): readonly AlertDefinition[] {
  const grouping = { scope, window: "10m", by: "job" } as const;
  const refused = rate(grouping, "inmesh.server.refused", ['inmesh_server_refusal=~"concurrency|shedding"']);
  return [
    {
      alert: "InmeshServerOverloaded",
      severity: "page",
      expr: `${ratio(refused, rate(grouping, "http.server.request.duration", [], "count"))} > 0.05`,
      for: "10m",
      summary: `${job} refuses requests because it is overloaded`,
      description: `${job} has refused {{ $value | humanizePercentage }} of the requests that it got, for want of a place or because its event loop lags.`,
    },
  ];
}
