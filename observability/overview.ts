import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  attemptErrorRatio,
  callErrorRatio,
  callLatency,
  calls,
  failedCalls,
  rate,
  retriesPerCall,
  servedLatency,
} from "../src/assets/expressions.ts";
import { serviceLabel } from "../src/assets/selection.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { stat, table, timeSeries } from "./panels.ts";
import { gauge, grouped, rest, serviceLegend } from "./queries.ts";

const all = grouped("");
const each = grouped();
const byError = "error_type";
const available = ['inmesh_endpoint_state="available"'];
/** Target of the links in the table: the dashboard of the service, with the variables of this one. */
const serviceUrl =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's placeholders
  "/d/inmesh-service?var-datasource=${datasource}&${job:queryparam}&${instance:queryparam}&var-service=${__value.text}&${__url_time_range}";

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
      description: "The share of calls that succeeded, retries included: the view of the callers. Any status below 500 is a success.",
      unit: "percentunit",
      query: { expr: rest(callErrorRatio(all)), legend: "effective" },
      bad: { below: 0.99 },
    }),
    stat({
      title: "Actual success",
      description:
        "The share of attempts that succeeded: the work of the instances. When it is far below the effective success, retries hide failures.",
      unit: "percentunit",
      query: { expr: rest(attemptErrorRatio(all)), legend: "actual" },
      bad: { below: 0.95 },
    }),
    stat({
      title: "Latency p99",
      description: "99 % of the calls that succeeded took less, retries and pauses included.",
      unit: "s",
      query: { expr: callLatency(0.99, all), legend: "p99" },
    }),
    stat({
      title: "Services without endpoints",
      description: "Services of which at least one process has no endpoint in rotation.",
      unit: "short",
      query: { expr: `count(${gauge("min", "inmesh.endpoints", serviceLabel, available)} == 0) or vector(0)`, legend: "services" },
      bad: { above: 1 },
    }),
    stat({
      title: "Services in panic",
      description: "Services with so few available endpoints that requests go to all of them.",
      unit: "short",
      query: { expr: `sum(${gauge("max", "inmesh.panic")})`, legend: "services" },
      bad: { above: 1 },
    }),
  ],
};

const services: Row = {
  title: "Services",
  panels: [
    table({
      title: "Services",
      description: "One row per called service. Effective success is that of calls, actual success that of attempts.",
      row: { label: serviceLabel, heading: "Service", url: serviceUrl },
      columns: [
        { heading: "Calls", expr: calls(each), unit: "reqps" },
        { heading: "Effective success", expr: rest(callErrorRatio(each)), unit: "percentunit", decimals: 2 },
        { heading: "Actual success", expr: rest(attemptErrorRatio(each)), unit: "percentunit", decimals: 2 },
        { heading: "p50", expr: callLatency(0.5, each), unit: "s" },
        { heading: "p95", expr: callLatency(0.95, each), unit: "s" },
        { heading: "p99", expr: callLatency(0.99, each), unit: "s" },
        { heading: "Retries per call", expr: retriesPerCall(each), unit: "percentunit", decimals: 1 },
        { heading: "Available (fewest)", expr: gauge("min", "inmesh.endpoints", serviceLabel, available), unit: "short" },
      ],
    }),
  ],
};

const overTime: Row = {
  title: "Over time",
  panels: [
    timeSeries({
      title: "Calls by service",
      description: "Calls per second to each service.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: calls(each), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Effective success by service",
      description: "The share of calls that succeeded, retries included.",
      unit: "percentunit",
      max: 1,
      queries: [{ expr: rest(callErrorRatio(each)), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Latency p99 by service",
      description: "99 % of the calls that succeeded took less.",
      unit: "s",
      min: 0,
      queries: [{ expr: callLatency(0.99, each), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Failed calls by service",
      description: "Calls per second that failed or that the mesh refused.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: failedCalls(each), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Failed calls by error",
      description: "Failed calls per second by status, from 500 on, or by error code.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        {
          expr: rate(grouped(byError), "inmesh.client.call.duration", ['inmesh_outcome=~"error|rejected"'], "count"),
          legend: `{{${byError}}}`,
        },
      ],
    }),
    timeSeries({
      title: "Calls in flight by service",
      description: "Calls that have not settled, or whose body is still open.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("sum", "inmesh.client.active_calls"), legend: serviceLegend }],
    }),
  ],
};

const served: Row = {
  title: "Requests served",
  panels: [
    timeSeries({
      title: "Requests served by status",
      description: "Requests per second that these processes served themselves, by the status of the response.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        {
          expr: rate(grouped("http_response_status_code"), "http.server.request.duration", [], "count"),
          legend: "{{http_response_status_code}}",
        },
      ],
      width: 6,
    }),
    timeSeries({
      title: "gRPC and Connect calls by status",
      description:
        "Calls of remote procedures per second that these processes made, with all their attempts, by their status; without one where no instance has told any.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        {
          expr: rate(grouped("rpc_response_status_code"), "rpc.client.call.duration", [], "count"),
          legend: "{{rpc_response_status_code}}",
        },
      ],
      width: 6,
    }),
    timeSeries({
      title: "gRPC calls served by status",
      description: "Calls of gRPC per second that these processes served themselves, by their status.",
      unit: "reqps",
      min: 0,
      isStacked: true,
      queries: [
        {
          expr: rate(grouped("rpc_response_status_code"), "rpc.server.call.duration", [], "count"),
          legend: "{{rpc_response_status_code}}",
        },
      ],
      width: 6,
    }),
    timeSeries({
      title: "Time to serve p99",
      description: "99 % of the requests that these processes served took less, up to the end of the response.",
      unit: "s",
      min: 0,
      queries: [{ expr: servedLatency(0.99, grouped("job")), legend: "{{job}}" }],
      width: 6,
    }),
    timeSeries({
      title: "Requests under way",
      description: "Requests that these processes serve at this moment.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("sum", "http.server.active_requests", "job"), legend: "{{job}}" }],
      width: 6,
    }),
    timeSeries({
      title: "Requests refused by part",
      description: "Requests per second that were refused before any handler saw them, by the part that did it.",
      unit: "reqps",
      min: 0,
      queries: [
        { expr: rate(grouped("job, inmesh_server_refusal"), "inmesh.server.refused"), legend: "{{job}} {{inmesh_server_refusal}}" },
      ],
      width: 6,
    }),
    timeSeries({
      title: "Authorization by decision",
      description: "Requests per second on which the rules of these processes decided, by the decision.",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: rate(grouped("job, inmesh_authorization_decision"), "inmesh.server.authorizations"),
          legend: "{{job}} {{inmesh_authorization_decision}}",
        },
      ],
      width: 6,
    }),
  ],
};

/** All services at a glance: the golden signals, and a table with a link to each service. */
export function overview(): Dashboard {
  return dashboard({
    name: "overview",
    title: "Overview",
    description: "All services that are called through inmesh.",
    rows: [now, services, overTime, served],
  });
}
