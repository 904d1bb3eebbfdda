import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { rate, ratio, servedRequests, sum } from "./expressions.ts";
import { alertLabels } from "./recording-rules.ts";
import { type Scope, select } from "./selection.ts";

/** Alerts on the servers of the processes, and on the requests that they serve. */
export function servingAlerts(scope: Scope): readonly AlertDefinition[] {
  const leaving = select(scope, "inmesh.servers", ['inmesh_server_state=~"lame-duck|draining"']);
  const grouping = { scope, window: "10m", by: "job" } as const;
  const refused = rate(grouping, "inmesh.server.refused", ['inmesh_server_refusal=~"concurrency|shedding"']);
  return [
    {
      alert: "InmeshServerStuck",
      severity: "ticket",
      expr: `${sum(alertLabels, leaving)} > 0`,
      for: "5m",
      summary: `Servers of ${service} have been stopping for minutes`,
      description: `{{ $value }} servers of ${job} as ${service} have been leaving for more than five minutes.`,
    },
    {
      alert: "InmeshRequestsCutOff",
      severity: "ticket",
      expr: `${rate({ scope, window: "10m", by: alertLabels }, "inmesh.server.cut_off")} > 0`,
      for: "0m",
      summary: `A server of ${service} has cut requests off`,
      description: `A server of ${job} as ${service} has stopped before requests had ended that it was answering.`,
    },
    {
      alert: "InmeshServerOverloaded",
      severity: "page",
      expr: `${ratio(refused, servedRequests(grouping))} > 0.05`,
      for: "10m",
      summary: `${job} refuses requests because it is overloaded`,
      description: `${job} has refused {{ $value | humanizePercentage }} of the requests that it got, for want of a place or because its event loop lags.`,
    },
  ];
}
