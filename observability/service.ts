import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  attemptErrorRatio,
  attemptLatency,
  callErrorRatio,
  callLatency,
  calls,
  rate,
  ratio,
  retriesPerCall,
} from "../src/assets/expressions.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { heatmap, stat, timeSeries } from "./panels.ts";
import { gauge, grouped, rest } from "./queries.ts";

const all = grouped("");
const callDuration = "inmesh.client.call.duration";
const attemptDuration = "http.client.request.duration";
const quantiles = [0.5, 0.95, 0.99];
const rateBy = (metric: string, label: string): { readonly expr: string; readonly legend: string } => ({
  expr: rate(grouped(label), metric),
  legend: `{{${label}}}`,
});

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Calls",
      description: "Calls per second, without those that their callers aborted.",
      unit: "reqps",
      query: { expr: calls(all), legend: "calls" },
    }),
    stat({
      title: "Effective success",
      description: "The share of calls that succeeded, retries included.",
      unit: "percentunit",
      query: { expr: rest(callErrorRatio(all)), legend: "effective" },
      bad: { below: 0.99 },
    }),
    stat({
      title: "Error budget burn",
      description:
        "The failure rate of calls as a multiple of the one that the objective allows. At 1 the budget of 30 days lasts 30 days; at 14.4, the bound of the fast alert, it lasts two.",
      unit: "short",
      query: { expr: `(${callErrorRatio(all)}) / (1 - $objective)`, legend: "burn rate" },
      bad: { above: 1 },
    }),
    stat({
      title: "Latency p99",
      description: "99 % of the calls that succeeded took less.",
      unit: "s",
      query: { expr: callLatency(0.99, all), legend: "p99" },
    }),
    stat({
      title: "Available endpoints (fewest)",
      description: "Endpoints in rotation, of the process with the fewest.",
      unit: "short",
      query: { expr: gauge("min", "inmesh.endpoints", "", ['inmesh_endpoint_state="available"']), legend: "available" },
      bad: { below: 1 },
    }),
    stat({
      title: "Retries per call",
      description: "Retries per call. Above 20 % they are a considerable load of their own.",
      unit: "percentunit",
      query: { expr: retriesPerCall(all), legend: "retries" },
      bad: { above: 0.2 },
    }),
  ],
};

const callsOfService: Row = {
  title: "Calls",
  panels: [
    timeSeries({
      title: "Calls by outcome",
      description: "Calls per second by outcome: `rejected` by the mesh, `cancelled` by their callers.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [{ expr: rate(grouped("inmesh_outcome"), callDuration, [], "count"), legend: "{{inmesh_outcome}}" }],
    }),
    timeSeries({
      title: "Success, effective and actual",
      description: "The share of calls and the share of attempts that succeeded. Retries make the difference.",
      unit: "percentunit",
      max: 1,
      queries: [
        { expr: rest(callErrorRatio(all)), legend: "effective (calls)" },
        { expr: rest(attemptErrorRatio(all)), legend: "actual (attempts)" },
      ],
    }),
    timeSeries({
      title: "Failed calls by error",
      description: "Calls per second that failed, by a status from 500 on or the code of an error.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        { expr: rate(grouped("error_type"), callDuration, ['inmesh_outcome=~"error|rejected"'], "count"), legend: "{{error_type}}" },
      ],
    }),
    timeSeries({
      title: "Latency of calls",
      description: "Duration of successful calls with all their attempts and pauses, up to the end of the body.",
      unit: "s",
      min: 0,
      queries: quantiles.map((quantile) => ({ expr: callLatency(quantile, all), legend: `p${quantile * 100}` })),
    }),
    timeSeries({
      title: "Latency of attempts",
      description: "Duration of single attempts, failed ones included, up to the end of the body.",
      unit: "s",
      min: 0,
      queries: quantiles.map((quantile) => ({ expr: attemptLatency(quantile, all), legend: `p${quantile * 100}` })),
    }),
    timeSeries({
      title: "Calls in flight",
      description: "Calls that have not settled, or whose body is still open.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("sum", "inmesh.client.active_calls", ""), legend: "in flight" }],
    }),
  ],
};

const attempts: Row = {
  title: "Attempts",
  panels: [
    timeSeries({
      title: "Attempts by status",
      description: "Attempts per second by the status of the response; without a label: no response.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        { expr: rate(grouped("http_response_status_code"), attemptDuration, [], "count"), legend: "{{http_response_status_code}}" },
      ],
    }),
    timeSeries({
      title: "Failed attempts by error",
      description: "Attempts per second that failed, by a status from 400 on or the code of an error.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [{ expr: rate(grouped("error_type"), attemptDuration, ['error_type!=""'], "count"), legend: "{{error_type}}" }],
    }),
    timeSeries({
      title: "Attempts per call",
      description: "Attempts per call that made at least one, hedges included.",
      unit: "short",
      min: 1,
      queries: [
        {
          expr: ratio(rate(all, "inmesh.client.attempts", [], "sum"), rate(all, "inmesh.client.attempts", [], "count")),
          legend: "attempts",
        },
      ],
    }),
    heatmap({
      title: "Latency of calls, distribution",
      description: "Calls per second by bucket of their duration, successful or not.",
      unit: "reqps",
      bucketUnit: "s",
      query: { expr: rate(grouped("le"), callDuration, [], "bucket"), legend: "{{le}}" },
      width: 24,
    }),
  ],
};

const measuresOfMesh: Row = {
  title: "Measures of the mesh",
  panels: [
    timeSeries({
      title: "Endpoints by state",
      description: "Endpoints that discovery lists, by their state, averaged over processes.",
      unit: "short",
      min: 0,
      isStacked: true,
      queries: [
        {
          expr: gauge("avg", "inmesh.endpoints", "inmesh_endpoint_state"),
          legend: "{{inmesh_endpoint_state}}",
        },
      ],
    }),
    timeSeries({
      title: "Attempts by zone",
      description: "Attempts per second to instances in the caller's zone, in another, and where one of the two zones is unknown.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [rateBy("inmesh.client.picks", "inmesh_zone")],
    }),
    timeSeries({
      title: "Retries by reason",
      description: "Retries per second by the failure of the attempt before.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [rateBy("inmesh.client.retries", "inmesh_retry_reason")],
    }),
    timeSeries({
      title: "Retries not made",
      description: "Retries per second that were not made, by reason.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [rateBy("inmesh.client.retries.denied", "inmesh_retry_denial")],
    }),
    timeSeries({
      title: "Hedges",
      description: "Second attempts per second beside a slow one, and those whose response was used.",
      unit: "reqps",
      min: 0,
      queries: [
        { expr: rate(all, "inmesh.client.hedges"), legend: "sent" },
        { expr: rate(all, "inmesh.client.hedges.won"), legend: "won" },
      ],
    }),
    timeSeries({
      title: "Concurrency",
      description: "Attempts that the limit allows, attempts in flight under it, and queued attempts; of services with a limit.",
      unit: "short",
      min: 0,
      queries: [
        { expr: gauge("sum", "inmesh.concurrency.limit", ""), legend: "limit" },
        { expr: gauge("sum", "inmesh.concurrency.in_flight", ""), legend: "in flight" },
        { expr: gauge("sum", "inmesh.concurrency.queued", ""), legend: "queued" },
      ],
    }),
  ],
};

/** One service in detail: calls, attempts, and the measures of the mesh in between. */
export function service(): Dashboard {
  return dashboard({
    name: "service",
    title: "Service",
    description: "One service: the calls of its callers and the attempts at its instances.",
    isForOne: true,
    hasObjective: true,
    rows: [now, callsOfService, attempts, measuresOfMesh],
  });
}
