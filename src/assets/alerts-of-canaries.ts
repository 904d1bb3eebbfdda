import { type AlertDefinition, jobTemplate as job } from "./alert-definition.ts";
import { sum } from "./expressions.ts";
import { type Scope, select } from "./selection.ts";

const rule = "{{ $labels.inmesh_route_rule }}";

/** Alerts on canaries. */
export function canaryAlerts(scope: Scope): readonly AlertDefinition[] {
  const rolledBack = select(scope, "inmesh.canary.state", ['inmesh_canary_state="rolled-back"']);
  return [
    {
      alert: "InmeshCanaryRolledBack",
      severity: "ticket",
      // The state and not the change: it fires until the rule has changed or the canary is resumed, and also where all processes have begun anew since.
      expr: `${sum("job, inmesh_route_rule", rolledBack)} > 0`,
      for: "1m",
      summary: `The canary of the rule ${rule} was rolled back in ${job}`,
      description: `In {{ $value }} processes of ${job} all calls by the rule ${rule} go to its stable target: its canary failed more often or was slower, or an operator has rolled it back.`,
    },
  ];
}
