import type { AlertDefinition, Severity } from "./alert-definition.ts";
import { errorBudgetAlerts } from "./alerts-of-budget.ts";
import { endedCallAlerts, retryAndLatencyAlerts } from "./alerts-of-calls.ts";
import { canaryAlerts } from "./alerts-of-canaries.ts";
import { configAlerts } from "./alerts-of-config.ts";
import { routeAlerts } from "./alerts-of-routes.ts";
import { authorizationAlerts, encryptionAlerts, identityAlerts } from "./alerts-of-security.ts";
import { servingAlerts } from "./alerts-of-serving.ts";
import { capacityAlerts, discoveryAlerts, registrationAlerts } from "./alerts-of-state.ts";
import type { RuleGroup } from "./recording-rules.ts";
import type { Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

/** An alerting rule in Prometheus' format. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** Every alert as a rule, in four groups. `runbooks` is the address of the page that has a heading for each alert. */
export function alertingRules(scope: Scope, thresholds: AllThresholds, runbooks: string): readonly RuleGroup<AlertingRule>[] {
  const written = ({ severity, summary, description, ...rule }: AlertDefinition): AlertingRule => ({
    ...rule,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${runbooks}#${rule.alert.toLowerCase()}` },
  });
  const ofCalls = [
    ...errorBudgetAlerts(scope, thresholds),
    ...retryAndLatencyAlerts(scope, thresholds),
    ...endedCallAlerts(scope, thresholds),
  ];
  const ofState = [...capacityAlerts(scope), ...discoveryAlerts(scope, thresholds), ...registrationAlerts(scope), ...servingAlerts(scope)];
  const ofConfiguration = configAlerts(scope);
  const ofSecurity = [...identityAlerts(scope, thresholds), ...encryptionAlerts(scope), ...authorizationAlerts(scope)];
  const ofRoutes = [...routeAlerts(scope, thresholds), ...canaryAlerts(scope)];
  return [
    { name: "inmesh-calls", rules: ofCalls.map(written) },
    { name: "inmesh-state", rules: ofState.map(written) },
    { name: "inmesh-configuration", rules: ofConfiguration.map(written) },
    { name: "inmesh-security", rules: ofSecurity.map(written) },
    { name: "inmesh-routes", rules: ofRoutes.map(written) },
  ];
}
