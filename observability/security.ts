import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { attempts, rate, ratio } from "../src/assets/expressions.ts";
import { select } from "../src/assets/selection.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { stat, timeSeries } from "./panels.ts";
import { gauge, grouped, rateBy, serviceLegend } from "./queries.ts";
import { chosenScope } from "./variables.ts";

const all = grouped("");
const each = grouped();
const processLegend = "{{job}} {{instance}} {{inmesh_identity_role}}";
const timeLeft = `${select(chosenScope, "inmesh.tls.certificate.expiry")} - time()`;
const inClearText = "inmesh.client.attempts.clear_text";
const decisions = "inmesh.server.authorizations";

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Processes without identity",
      description: "Identities that are pending, expired or withdrawn: these processes make or take no connection over TLS.",
      unit: "short",
      query: { expr: gauge("sum", "inmesh.identities", "", ['inmesh_identity_state!="ready"']), legend: "identities" },
      bad: { above: 1 },
      width: 6,
    }),
    stat({
      title: "Next certificate to expire",
      description: "Time until the certificate expires that expires first.",
      unit: "s",
      query: { expr: `min(${timeLeft})`, legend: "left" },
      bad: { below: 300 },
      width: 6,
    }),
    stat({
      title: "Attempts in clear text",
      description: "Attempts per second to instances without TLS, of processes that have an identity.",
      unit: "reqps",
      query: { expr: `${rate(all, inClearText)} or vector(0)`, legend: "attempts" },
      width: 6,
    }),
    stat({
      title: "Requests denied",
      description: "Requests per second that the rules of these processes deny.",
      unit: "reqps",
      query: { expr: `${rate(all, decisions, ['inmesh_authorization_decision="denied"'])} or vector(0)`, legend: "denied" },
      width: 6,
    }),
  ],
};

const identities: Row = {
  title: "Identities",
  panels: [
    timeSeries({
      title: "Identities by state",
      description: "Identities towards instances (`client`) and towards callers (`server`), by their state.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("sum", "inmesh.identities", "inmesh_identity_role, inmesh_identity_state"),
          legend: "{{inmesh_identity_role}} {{inmesh_identity_state}}",
        },
      ],
      width: 12,
    }),
    timeSeries({
      title: "Time left of certificates",
      description: "Time until the certificate of each process expires. It rises with each renewal.",
      unit: "s",
      queries: [{ expr: timeLeft, legend: processLegend }],
      width: 12,
    }),
    timeSeries({
      title: "Part left of certificates",
      description: "Time until the certificate of each process expires, as a part of its lifetime. Below 10 % it should have been renewed.",
      unit: "percentunit",
      queries: [{ expr: `(${timeLeft}) / ${select(chosenScope, "inmesh.tls.certificate.lifetime")}`, legend: processLegend }],
      width: 24,
    }),
  ],
};

const encryption: Row = {
  title: "Encryption",
  panels: [
    timeSeries({
      title: "Attempts in clear text by service",
      description: "Attempts per second to instances without TLS, of processes that have an identity.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: rate(each, inClearText), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Share of attempts in clear text",
      description: "The share of attempts to each service that went without TLS. It falls to nothing while a fleet moves to TLS.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: ratio(rate(each, inClearText), attempts(each)), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Requests in clear text",
      description: 'Requests per second that came without TLS to servers with an identity (`callers.mode: "permissive"`).',
      unit: "reqps",
      min: 0,
      queries: [{ expr: rate(grouped("job"), "inmesh.server.requests.clear_text"), legend: "{{job}}" }],
    }),
    timeSeries({
      title: "Connections taken by encryption",
      description: "New connections per second to servers with an identity.",
      unit: "ops",
      min: 0,
      queries: [rateBy("inmesh.server.connections", "inmesh_connection_encryption")],
      width: 24,
    }),
  ],
};

const refusals: Row = {
  title: "Refusals",
  panels: [
    timeSeries({
      title: "Connections refused by reason",
      description: "Connections per second that servers with an identity have refused before a request was read.",
      unit: "ops",
      min: 0,
      queries: [rateBy("inmesh.server.connections.refused", "inmesh_connection_refusal")],
      width: 12,
    }),
    timeSeries({
      title: "Instances refused by service",
      description: "Attempts per second that ended because the certificate of the instance was refused (`ERR_MESH_TLS_PEER`).",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: `${rate(each, "http.client.request.duration", ['error_type="ERR_MESH_TLS_PEER"'], "count")} or ${attempts(each)} * 0`,
          legend: serviceLegend,
        },
      ],
      width: 12,
    }),
  ],
};

const authorization: Row = {
  title: "Authorization",
  panels: [
    timeSeries({
      title: "Decisions",
      description: "Requests per second on which the rules of these processes decided, by the decision.",
      unit: "reqps",
      min: 0,
      queries: [
        { expr: rate(grouped("job, inmesh_authorization_decision"), decisions), legend: "{{job}} {{inmesh_authorization_decision}}" },
      ],
      width: 12,
    }),
    timeSeries({
      title: "Denials by rule",
      description: "Requests per second that were denied, also in a dry run, by the rule; `_none`: no rule has allowed them.",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: rate(grouped("job, inmesh_authorization_decision, inmesh_authorization_rule"), decisions, [
            'inmesh_authorization_decision=~"denied|dry-run-denied"',
          ]),
          legend: "{{job}} {{inmesh_authorization_rule}} {{inmesh_authorization_decision}}",
        },
      ],
      width: 12,
    }),
  ],
};

/** Identities, encryption and authorization: which connections are encrypted, by which identities, and what is refused. */
export function security(): Dashboard {
  return dashboard({
    name: "security",
    title: "Security",
    description: "Identities, encryption and authorization: which connections are encrypted, by which identities, and what is refused.",
    rows: [now, identities, encryption, refusals, authorization],
  });
}
