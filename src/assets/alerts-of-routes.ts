import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { rate, ratio } from "./expressions.ts";
import { alertLabels } from "./recording-rules.ts";
import type { Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

const rule = "{{ $labels.inmesh_route_rule }}";

/** Alerts on the rules that calls are routed by, their mirrors and their faults. */
export function routeAlerts(scope: Scope, { minCallsPerSecond }: AllThresholds): readonly AlertDefinition[] {
  const ofRule = { scope, window: "10m", by: `${alertLabels}, inmesh_route_rule` } as const;
  const ofTarget = { scope, window: "5m", by: "job, inmesh_route_rule, inmesh_route_target" } as const;
  const decided = rate(ofTarget, "inmesh.route.calls", ['inmesh_outcome!="cancelled"', 'inmesh_route_rule!="_none"']);
  const failed = rate(ofTarget, "inmesh.route.calls", ['inmesh_outcome=~"error|rejected"', 'inmesh_route_rule!="_none"']);
  const leftOut = rate(ofRule, "inmesh.mirrors.left_out");
  const sent = rate(ofRule, "inmesh.mirrors");
  return [
    {
      alert: "InmeshRouteFailing",
      severity: "ticket",
      // A target that does not exist fails every call: retries cannot hide that, as they hide single failures.
      expr: `${ratio(failed, decided)} > 0.95\nand ${decided} > ${minCallsPerSecond}`,
      for: "5m",
      summary: `Calls of ${job} by the rule ${rule} fail`,
      description: `{{ $value | humanizePercentage }} of the calls of ${job} by the rule ${rule} (target {{ $labels.inmesh_route_target }}) fail: it may lead to nothing.`,
    },
    {
      alert: "InmeshMirrorDropping",
      severity: "ticket",
      expr: `${leftOut} / (${leftOut} + (${sent} or ${leftOut} * 0)) > 0.05\nand ${leftOut} > ${minCallsPerSecond}`,
      for: "10m",
      summary: `The mirror ${service} of ${job} gets not all copies`,
      description: `{{ $value | humanizePercentage }} of the copies that the rule ${rule} of ${job} asks for are left out: ${service} sees another load than it should.`,
    },
    {
      alert: "InmeshFaultInjected",
      severity: "ticket",
      expr: `${rate({ ...ofRule, by: `${ofRule.by}, inmesh_fault` }, "inmesh.faults")} > 0`,
      for: "1h",
      summary: `${job} makes faults in calls to ${service}`,
      description: `The rule ${rule} of ${job} has made a fault ({{ $labels.inmesh_fault }}) on purpose in {{ printf "%.2f" $value }} calls per second to ${service} for an hour.`,
    },
  ];
}
