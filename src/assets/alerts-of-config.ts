import { type AlertDefinition, jobTemplate as job } from "./alert-definition.ts";
import { type Scope, select } from "./selection.ts";

/** Alerts on configurations that are not in force. */
export function configAlerts(scope: Scope): readonly AlertDefinition[] {
  const ofProcess = (metric: string): string => `max by (job, instance) (${select(scope, metric)})`;
  return [
    {
      alert: "InmeshConfigRefused",
      severity: "ticket",
      expr: `${ofProcess("inmesh.config.refused")} == 1`,
      for: "5m",
      summary: `A configuration of ${job} is refused`,
      description: "{{ $labels.instance }} has refused the newest version of its configuration, and goes on by the one before.",
    },
    {
      alert: "InmeshConfigNeedsRestart",
      severity: "ticket",
      expr: `${ofProcess("inmesh.config.restart_needed")} > 0`,
      for: "1h",
      summary: `A process of ${job} needs a restart`,
      description: "{{ $value }} options in the configuration of {{ $labels.instance }} have changed that only a new mesh takes.",
    },
  ];
}
