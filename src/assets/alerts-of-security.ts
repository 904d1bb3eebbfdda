import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { rate, sum } from "./expressions.ts";
import { alertLabels } from "./recording-rules.ts";
import { type Scope, select } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

/** The end that an identity is shown to: `client` towards instances, `server` towards callers. */
const role = "{{ $labels.inmesh_identity_role }}";

/** Alerts on the identities of the processes. */
export function identityAlerts(scope: Scope, { certificateWarningMs }: AllThresholds): readonly AlertDefinition[] {
  const ofProcess = (metric: string): string => `min by (job, instance, inmesh_identity_role) (${select(scope, metric)})`;
  const left = `${ofProcess("inmesh.tls.certificate.expiry")} - time()`;
  const lifetime = ofProcess("inmesh.tls.certificate.lifetime");
  const missing = select(scope, "inmesh.identities", ['inmesh_identity_state!="ready"']);
  return [
    {
      alert: "InmeshCertificateExpiring",
      severity: "ticket",
      // A certificate of hours is renewed when a tenth of them is left at the latest, by every source that renews.
      expr: `${left} < ${certificateWarningMs / 1000}\nand ${left} < 0.1 * ${lifetime}\nand ${left} > 0`,
      for: "1m",
      summary: `A certificate of ${job} expires soon`,
      description: `The ${role} certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}, and has not been renewed.`,
    },
    {
      alert: "InmeshCertificateExpired",
      severity: "page",
      expr: `${left} <= 0`,
      for: "1m",
      summary: `A certificate of ${job} has expired`,
      description: `The ${role} certificate of {{ $labels.instance }} has expired: the other ends refuse its connections, or it makes none.`,
    },
    {
      alert: "InmeshIdentityMissing",
      severity: "page",
      expr: `${sum("job, instance, inmesh_identity_role, inmesh_identity_state", missing)} > 0`,
      for: "2m",
      summary: `A process of ${job} has no identity`,
      description: `The ${role} identity of {{ $labels.instance }} is {{ $labels.inmesh_identity_state }}: no connection over TLS is made or taken.`,
    },
  ];
}

/** Alerts on connections that are not encrypted, and on those that are refused. */
export function encryptionAlerts(scope: Scope): readonly AlertDefinition[] {
  const ofService = { scope, window: "10m", by: alertLabels } as const;
  const refused = rate({ ...ofService, by: `${alertLabels}, inmesh_connection_refusal` }, "inmesh.server.connections.refused");
  const wrong = rate(ofService, "http.client.request.duration", ['error_type="ERR_MESH_TLS_PEER"'], "count");
  return [
    {
      alert: "InmeshCallsInClearText",
      severity: "ticket",
      expr: `${rate(ofService, "inmesh.client.attempts.clear_text")} > 0`,
      for: "1h",
      summary: `${job} calls ${service} in clear text`,
      description: `${job} has an identity, and sends {{ printf "%.2f" $value }} attempts per second to ${service} without TLS.`,
    },
    {
      alert: "InmeshRequestsInClearText",
      severity: "ticket",
      expr: `${rate({ ...ofService, by: "job" }, "inmesh.server.requests.clear_text")} > 0`,
      for: "1h",
      summary: `${job} is called in clear text`,
      description: `${job} has an identity, and serves {{ printf "%.2f" $value }} requests per second that came without TLS.`,
    },
    {
      alert: "InmeshPeersRefused",
      severity: "ticket",
      expr: `${wrong} > 0`,
      for: "5m",
      summary: `${job} refuses instances of ${service}`,
      description: `{{ printf "%.2f" $value }} attempts per second of ${job} end at instances of ${service} whose certificate is refused.`,
    },
    {
      alert: "InmeshConnectionsRefused",
      severity: "ticket",
      // Fewer are scans, and probes of load balancers.
      expr: `${refused} > 0.1`,
      for: "10m",
      summary: `${service} refuses connections`,
      description: `Servers of ${job} as ${service} refuse {{ printf "%.2f" $value }} connections per second before a request is read: {{ $labels.inmesh_connection_refusal }}.`,
    },
  ];
}

/** Alerts on requests that the rules of the servers deny. */
export function authorizationAlerts(scope: Scope): readonly AlertDefinition[] {
  const denied = (window: string): string =>
    rate({ scope, window, by: "job, inmesh_authorization_rule" }, "inmesh.server.authorizations", [
      'inmesh_authorization_decision="denied"',
    ]);
  return [
    {
      alert: "InmeshDenialsRising",
      severity: "ticket",
      // Some callers are always denied. Three times the rate of the last hours is a new one, or a rule that says something else than was meant.
      expr: `${denied("10m")} > 0.1\nand ${denied("10m")} > 3 * ${denied("6h")}`,
      for: "5m",
      summary: `${job} denies more requests than before`,
      description: `${job} denies {{ printf "%.2f" $value }} requests per second by the rule {{ $labels.inmesh_authorization_rule }}, more than three times as many as over the last six hours.`,
    },
  ];
}
