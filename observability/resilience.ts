import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { attemptErrorRatio, callErrorRatio, calls, rate, ratio, retriesPerCall } from "../src/assets/expressions.ts";
import { select, serviceLabel } from "../src/assets/selection.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { stat, timeSeries } from "./panels.ts";
import { gauge, grouped, rateBy, serviceLegend } from "./queries.ts";
import { chosenScope } from "./variables.ts";

const each = grouped();
const open = ['inmesh_breaker_state="open"', 'inmesh_breaker_scope="service"'];
const refused = rate(each, "inmesh.client.call.duration", ['inmesh_outcome="rejected"'], "count");

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Open breakers",
      description: "Breakers of services that are open, of all processes: calls are refused.",
      unit: "short",
      query: { expr: gauge("sum", "inmesh.breaker.state", "", open), legend: "open" },
      bad: { above: 1 },
      width: 6,
    }),
    stat({
      title: "Services in panic",
      description: "Services with so few available endpoints that requests go to all of them.",
      unit: "short",
      query: { expr: `sum(${gauge("max", "inmesh.panic")})`, legend: "services" },
      bad: { above: 1 },
      width: 6,
    }),
    stat({
      title: "Retry budget left (least)",
      description: "Retries and hedges that the budget allows at once, of the service and process with the fewest.",
      unit: "short",
      query: { expr: gauge("min", "inmesh.retry.budget", ""), legend: "budget" },
      bad: { below: 1 },
      width: 6,
    }),
    stat({
      title: "Client certificate expires in",
      description: "Time until the first client certificate expires.",
      unit: "s",
      query: { expr: `min(${select(chosenScope, "inmesh.tls.certificate.expiry")}) - time()`, legend: "left" },
      bad: { below: 7 * 24 * 3_600 },
      noValue: "none in use",
      width: 6,
    }),
  ],
};

const retriesAndHedges: Row = {
  title: "Retries and hedges",
  panels: [
    timeSeries({
      title: "Failures that retries hide",
      description: "The share of attempts that fail minus the share of calls that fail.",
      unit: "percentunit",
      queries: [{ expr: `${attemptErrorRatio(each)} - ${callErrorRatio(each)}`, legend: serviceLegend }],
    }),
    timeSeries({
      title: "Retries per call",
      description: "Retries per call. Above 20 % they are a considerable load of their own.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: retriesPerCall(each), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Retry budget left",
      description: "Retries and hedges that the budget allows at once, of the process with the fewest.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("min", "inmesh.retry.budget"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Retries by reason",
      description: "Retries per second by the failure of the attempt before.",
      unit: "reqps",
      min: 0,
      queries: [rateBy("inmesh.client.retries", "inmesh_retry_reason")],
    }),
    timeSeries({
      title: "Retries not made",
      description: "Retries per second that were not made, by reason. `budget`: the retry budget is used up.",
      unit: "reqps",
      min: 0,
      queries: [rateBy("inmesh.client.retries.denied", "inmesh_retry_denial")],
    }),
    timeSeries({
      title: "Hedges",
      description: "Second attempts per second beside a slow one, and those whose response was used.",
      unit: "reqps",
      min: 0,
      queries: [
        { expr: rate(each, "inmesh.client.hedges"), legend: `${serviceLegend} sent` },
        { expr: rate(each, "inmesh.client.hedges.won"), legend: `${serviceLegend} won` },
      ],
    }),
  ],
};

const breakersAndEjections: Row = {
  title: "Breakers and ejections",
  panels: [
    timeSeries({
      title: "Breakers that are not closed",
      description: "Breakers of services that are open or half-open, of all processes.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("sum", "inmesh.breaker.state", `${serviceLabel}, inmesh_breaker_state`, [
            'inmesh_breaker_state!="closed"',
            'inmesh_breaker_scope="service"',
          ]),
          legend: `${serviceLegend} {{inmesh_breaker_state}}`,
        },
      ],
    }),
    timeSeries({
      title: "Transitions of breakers",
      description: "Transitions per second of breakers of services and of instances, by the new state.",
      unit: "ops",
      min: 0,
      queries: [
        {
          expr: rate(grouped(`${serviceLabel}, inmesh_breaker_scope, inmesh_breaker_state`), "inmesh.breaker.transitions"),
          legend: `${serviceLegend} {{inmesh_breaker_scope}} {{inmesh_breaker_state}}`,
        },
      ],
    }),
    timeSeries({
      title: "Ejections by rule",
      description: "Instances taken out of rotation per second, by rule.",
      unit: "ops",
      min: 0,
      queries: [rateBy("inmesh.ejections", "inmesh_ejection_rule")],
    }),
    timeSeries({
      title: "Endpoints out of rotation",
      description: "Endpoints that are ejected, wait for a probe, or fail their health checks, averaged over processes.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("avg", "inmesh.endpoints", `${serviceLabel}, inmesh_endpoint_state`, ['inmesh_endpoint_state!="available"']),
          legend: `${serviceLegend} {{inmesh_endpoint_state}}`,
        },
      ],
    }),
    timeSeries({
      title: "Endpoints avoided",
      description: "Endpoints in rotation that the picker avoids, and tries from time to time, averaged over processes.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("avg", "inmesh.endpoints.avoided"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Panic",
      description: "1 while so few endpoints are available to at least one process that its requests go to all of them.",
      unit: "short",
      min: 0,
      max: 1,
      queries: [{ expr: gauge("max", "inmesh.panic"), legend: serviceLegend }],
    }),
  ],
};

const loadAndTime: Row = {
  title: "Load and time",
  panels: [
    timeSeries({
      title: "Concurrency under a limit",
      description: "Attempts that the limit allows, and attempts in flight under it.",
      unit: "short",
      min: 0,
      queries: [
        { expr: gauge("sum", "inmesh.concurrency.limit"), legend: `${serviceLegend} limit` },
        { expr: gauge("sum", "inmesh.concurrency.in_flight"), legend: `${serviceLegend} in flight` },
      ],
    }),
    timeSeries({
      title: "Queue",
      description: "Attempts that wait for a slot under the limit.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("sum", "inmesh.concurrency.queued"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Calls refused",
      description: "The share of calls that the mesh refused: breaker, limit, throttle, policy, target.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: ratio(refused, calls(each)), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Deadlines exceeded",
      description: "Calls per second that ended because their deadline had passed.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: rate(each, "inmesh.client.deadline.exceeded"), legend: serviceLegend }],
      width: 24,
    }),
  ],
};

const byInstance = `${serviceLabel}, network_peer_address, network_peer_port`;
const instanceLegend = `${serviceLegend} {{network_peer_address}}:{{network_peer_port}}`;

const singleInstances: Row = {
  title: "Single instances (perEndpoint: true)",
  panels: [
    timeSeries({
      title: "Shares of instances",
      description:
        "Share of the attempts of the last minute that each instance got, and share that it is meant to have, averaged over processes.",
      unit: "percentunit",
      min: 0,
      queries: [
        {
          expr: gauge("avg", "inmesh.endpoint.share", `${byInstance}, inmesh_share_kind`),
          legend: `${instanceLegend} {{inmesh_share_kind}}`,
        },
      ],
    }),
    timeSeries({
      title: "Failures of instances",
      description: "Share of the attempts at each instance that failed by its fault, averaged over processes.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: gauge("avg", "inmesh.endpoint.failure.share", byInstance), legend: instanceLegend }],
    }),
    timeSeries({
      title: "Instances avoided",
      description: "Processes whose picker avoids the instance.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("sum", "inmesh.endpoint.avoided", byInstance), legend: instanceLegend }],
    }),
    timeSeries({
      title: "Costs of instances",
      description: "Cost of each instance to the picker, by its terms, averaged over processes.",
      unit: "s",
      min: 0,
      queries: [
        { expr: gauge("avg", "inmesh.endpoint.cost", `${byInstance}, inmesh_cost_term`), legend: `${instanceLegend} {{inmesh_cost_term}}` },
      ],
    }),
  ],
};

const configuration: Row = {
  title: "Configuration",
  panels: [
    timeSeries({
      title: "Configurations put in force",
      description: "Changes of configurations while processes run, and configurations that were refused, per second.",
      unit: "ops",
      min: 0,
      queries: [{ expr: rate(grouped("inmesh_config_result"), "inmesh.config.changes"), legend: "{{inmesh_config_result}}" }],
    }),
    timeSeries({
      title: "Age of configurations",
      description:
        "Time since a process took its configuration: the youngest and the oldest. Processes of one fleet differ where some have refused it.",
      unit: "s",
      min: 0,
      queries: [
        { expr: gauge("min", "inmesh.config.age", ""), legend: "youngest" },
        { expr: gauge("max", "inmesh.config.age", ""), legend: "oldest" },
      ],
    }),
    timeSeries({
      title: "Configurations that are not in force",
      description: "Processes that have refused the newest configuration, and options that have changed and need a restart.",
      unit: "short",
      min: 0,
      queries: [
        { expr: gauge("sum", "inmesh.config.refused", ""), legend: "refused" },
        { expr: gauge("sum", "inmesh.config.restart_needed", ""), legend: "options that need a restart" },
      ],
    }),
  ],
};

/** The mesh's measures against failures: retries, hedges, breakers, ejections, limits, deadlines. */
export function resilience(): Dashboard {
  return dashboard({
    name: "resilience",
    title: "Resilience",
    description: "The mesh's measures against failures, and their cost.",
    rows: [now, retriesAndHedges, breakersAndEjections, loadAndTime, singleInstances, configuration],
  });
}
