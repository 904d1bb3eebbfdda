/** `page`: needs attention at once. `ticket`: needs attention in working hours. */
export type Severity = "page" | "ticket";

/** An alert, from which a rule of Prometheus is made. The heading of its runbook is its name. */
export interface AlertDefinition {
  readonly alert: string;
  readonly severity: Severity;
  /** PromQL that is true while the alert holds. */
  readonly expr: string;
  /** Time for which the expression must hold before the alert fires, in PromQL's notation of durations, such as `5m`. */
  readonly for: string;
  readonly summary: string;
  readonly description: string;
}

/** Templates of Prometheus for the caller and for the service that it calls. */
export const jobTemplate = "{{ $labels.job }}";
export const serviceTemplate = "{{ $labels.server_service_name }}";
