/** `page`: somebody is to look now. `ticket`: somebody is to look in working hours. */
export type Severity = "page" | "ticket";

/** An alert before it is written: its runbook is known by its name. */
export interface AlertDefinition {
  readonly alert: string;
  readonly severity: Severity;
  readonly expr: string;
  /** How long the expression must hold, as PromQL has durations. */
  readonly for: string;
  readonly summary: string;
  readonly description: string;
}
