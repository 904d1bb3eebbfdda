import type { AlertDefinition } from "./alert-definition.ts";
import { rate, sum } from "./expressions.ts";
import { alertLabels } from "./recording-rules.ts";
import { type Scope, select } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

const service = "{{ $labels.server_service_name }}";
const job = "{{ $labels.job }}";

/** Alerts on the state that the mesh is in: who can be called, and what it knows. */
export function stateAlerts(scope: Scope, { discoveryMaxAgeMs, certificateWarningMs }: AllThresholds): readonly AlertDefinition[] {
  const endpoints = (where: readonly string[]): string => select(scope, "inmesh.endpoints", where);
  const worst = (metric: string, where: readonly string[] = []): string => `max by (${alertLabels}) (${select(scope, metric, where)})`;
  const open = select(scope, "inmesh.breaker.state", ['inmesh_breaker_state="open"', 'inmesh_breaker_scope="service"']);
  const expiry = select(scope, "inmesh.tls.certificate.expiry");
  return [
    {
      alert: "InmeshNoEndpoints",
      severity: "page",
      // The process that sees the fewest: one without any fails all its calls, however many the others see.
      expr: `min by (${alertLabels}) (${endpoints(['inmesh_endpoint_state="available"'])}) == 0`,
      for: "1m",
      summary: `${service} has no available endpoint`,
      description: `A process of ${job} has no endpoint of ${service} that is in rotation.`,
    },
    {
      alert: "InmeshPanic",
      severity: "ticket",
      expr: `${worst("inmesh.panic")} == 1`,
      for: "5m",
      summary: `Too few endpoints of ${service} are available`,
      description: `So few endpoints of ${service} are available to ${job} that its requests go to all of them, those that fail included.`,
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
      // It is half-open for a moment each time it lets a probe through.
      expr: `max by (${alertLabels}) (max_over_time(${open}[1m])) == 1`,
      for: "5m",
      summary: `The breaker of ${service} is open`,
      description: `A process of ${job} has refused calls to ${service} for more than five minutes, since too many of them failed.`,
    },
    {
      alert: "InmeshQueueing",
      severity: "ticket",
      expr: `${worst("inmesh.concurrency.queued")} > 0`,
      for: "10m",
      summary: `Calls to ${service} wait for a place`,
      description: `{{ $value }} attempts of a process of ${job} wait: as many as the concurrency limit allows are in flight to ${service}.`,
    },
    {
      alert: "InmeshDiscoveryStale",
      severity: "ticket",
      expr: `${worst("inmesh.discovery.age")} > ${discoveryMaxAgeMs / 1000}`,
      for: "5m",
      summary: `The endpoints of ${service} are not confirmed`,
      description: `A process of ${job} uses endpoints of ${service} that discovery confirmed {{ $value | humanizeDuration }} ago.`,
    },
    {
      alert: "InmeshDiscoveryErrors",
      severity: "ticket",
      expr: `${rate({ scope, window: "10m", by: alertLabels }, "inmesh.discovery.errors")} > 0`,
      for: "10m",
      summary: `Discovery of ${service} fails`,
      description: `Looking up ${service} fails {{ printf "%.2f" $value }} times per second in ${job}. The endpoints known before stay in use.`,
    },
    {
      alert: "InmeshCertificateExpiring",
      severity: "ticket",
      expr: `${expiry} - time() < ${certificateWarningMs / 1000}\nand ${expiry} - time() > 0`,
      for: "5m",
      summary: `The client certificate of ${job} ends soon`,
      description: `{{ $labels.instance }} has a client certificate that ends in {{ $value | humanizeDuration }}.`,
    },
    {
      alert: "InmeshCertificateExpired",
      severity: "page",
      expr: `${expiry} - time() <= 0`,
      for: "1m",
      summary: `The client certificate of ${job} has ended`,
      description: `{{ $labels.instance }} has a client certificate that is not valid any more: instances refuse its connections.`,
    },
  ];
}
