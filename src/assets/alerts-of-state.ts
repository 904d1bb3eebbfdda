import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { rate, sum } from "./expressions.ts";
import { alertLabels } from "./recording-rules.ts";
import { type Scope, select } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

/** Alerts on the capacity that a caller has left of a service: endpoints, breaker, places under the concurrency limit. */
export function capacityAlerts(scope: Scope): readonly AlertDefinition[] {
  const endpoints = (where: readonly string[]): string => select(scope, "inmesh.endpoints", where);
  const open = select(scope, "inmesh.breaker.state", ['inmesh_breaker_state="open"', 'inmesh_breaker_scope="service"']);
  return [
    {
      alert: "InmeshNoEndpoints",
      severity: "page",
      // The process with the fewest: one without any fails all its calls, however many the others have.
      expr: `min by (${alertLabels}) (${endpoints(['inmesh_endpoint_state="available"'])}) == 0`,
      for: "1m",
      summary: `${service} has no available endpoint`,
      description: `A process of ${job} has no endpoint of ${service} that is in rotation.`,
    },
    {
      alert: "InmeshPanic",
      severity: "ticket",
      expr: `${highest(scope, "inmesh.panic")} == 1`,
      for: "5m",
      summary: `Too few endpoints of ${service} are available`,
      description: `So few endpoints of ${service} are available to ${job} that requests are sent to all of them, those that fail included.`,
    },
    {
      alert: "InmeshEjectionsHigh",
      severity: "ticket",
      expr: `${sum(alertLabels, endpoints(['inmesh_endpoint_state=~"ejected|probing"']))} / ${sum(alertLabels, endpoints([]))} >= 0.25`,
      for: "10m",
      summary: `Many endpoints of ${service} are ejected`,
      description: `{{ $value | humanizePercentage }} of the endpoints of ${service} are out of rotation for ${job} because their requests fail.`,
    },
    {
      alert: "InmeshBreakerOpen",
      severity: "ticket",
      // The breaker is half-open for a moment at each probe.
      expr: `max by (${alertLabels}) (max_over_time(${open}[1m])) == 1`,
      for: "5m",
      summary: `The breaker of ${service} is open`,
      description: `A process of ${job} has refused calls to ${service} for more than five minutes because too many of them failed.`,
    },
    {
      alert: "InmeshQueueing",
      severity: "ticket",
      expr: `${highest(scope, "inmesh.concurrency.queued")} > 0`,
      for: "10m",
      summary: `Attempts to ${service} are queued`,
      description: `{{ $value }} attempts of a process of ${job} wait: as many as the concurrency limit allows are in flight to ${service}.`,
    },
  ];
}

/** Alerts on discovery: the answers are old, or there are none. */
export function discoveryAlerts(scope: Scope, { discoveryMaxAgeMs }: AllThresholds): readonly AlertDefinition[] {
  return [
    {
      alert: "InmeshDiscoveryStale",
      severity: "ticket",
      expr: `${highest(scope, "inmesh.discovery.age")} > ${discoveryMaxAgeMs / 1000}`,
      for: "5m",
      summary: `The endpoints of ${service} are not confirmed`,
      description: `A process of ${job} uses endpoints of ${service} that discovery last confirmed {{ $value | humanizeDuration }} ago.`,
    },
    {
      alert: "InmeshDiscoveryErrors",
      severity: "ticket",
      expr: `${rate({ scope, window: "10m", by: alertLabels }, "inmesh.discovery.errors")} > 0`,
      for: "10m",
      summary: `Discovery of ${service} fails`,
      description: `Discovery of ${service} fails {{ printf "%.2f" $value }} times per second in ${job}. The last known endpoints stay in use.`,
    },
  ];
}

/** Alerts on what the processes have registered of themselves. */
export function registrationAlerts(scope: Scope): readonly AlertDefinition[] {
  const missing = select(scope, "inmesh.registrations", ['inmesh_registration_state=~"pending|failing"']);
  return [
    {
      alert: "InmeshRegistrationFailing",
      severity: "ticket",
      expr: `${sum(alertLabels, missing)} > 0`,
      for: "5m",
      summary: `Instances of ${service} are not registered`,
      description: `{{ $value }} registrations of ${job} as ${service} have been refused, could not be made or could not be renewed for more than five minutes.`,
    },
    {
      alert: "InmeshRegistrationLost",
      severity: "ticket",
      // Once is a registry that was restarted; again and again are two processes with one id, or an address of several agents.
      expr: `${rate({ scope, window: "10m", by: alertLabels }, "inmesh.registration.losses")} > 0`,
      for: "20m",
      summary: `Registrations of ${service} are lost again and again`,
      description: `The registry loses registrations of ${job} as ${service} {{ printf "%.3f" $value }} times per second; they are made again.`,
    },
  ];
}

/** The highest value of a gauge among the processes of a caller. */
function highest(scope: Scope, metric: string): string {
  return `max by (${alertLabels}) (${select(scope, metric)})`;
}
