import type { AlertDefinition, Severity } from "./alert-definition.ts";
import { callAlerts } from "./alerts-of-calls.ts";
import { stateAlerts } from "./alerts-of-state.ts";
import type { RuleGroup } from "./recording-rules.ts";
import type { Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

/** An alerting rule, as Prometheus reads it. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** Every alert as a rule. `runbooks`: the address of the page with a heading for each. */
export function alertingRules(scope: Scope, thresholds: AllThresholds, runbooks: string): readonly RuleGroup<AlertingRule>[] {
  const written = ({ severity, summary, description, ...rule }: AlertDefinition): AlertingRule => ({
    ...rule,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${runbooks}#${rule.alert.toLowerCase()}` },
  });
  return [
    { name: "inmesh-calls", rules: callAlerts(scope, thresholds).map(written) },
    { name: "inmesh-state", rules: stateAlerts(scope, thresholds).map(written) },
  ];
}
