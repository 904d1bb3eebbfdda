import { type Spelling, spelled } from "../../src/assets/spelling.ts";
import { configCases } from "./config-alert-cases.ts";
import { routeCases } from "./route-alert-cases.ts";
import { securityCases } from "./security-alert-cases.ts";

/** A series of promtool's tests: one value per minute, in promtool's notation. */
export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/** Series with which an alert must fire, and series with which it must not. */
export interface AlertCase {
  readonly alert: string;
  /** Time of the evaluation. */
  readonly at: string;
  readonly firing: readonly InputSeries[];
  /** The value as its annotations show it. */
  readonly value: string;
  /** Labels of the alert beside `job` and `severity`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Sets of series with none of which the alert may fire. */
  readonly quiet: readonly (readonly InputSeries[])[];
}

const orders = { server_service_name: "orders" };

/** A case for each alert, with shares that are exact in binary. */
export function alertCases(spelling: Spelling): readonly AlertCase[] {
  const labelled = (name: string, labels: Readonly<Record<string, string>>, values: string): InputSeries => ({
    series: `${name}{${Object.entries({ job: "shop", instance: "a", ...labels })
      .map(([label, value]) => `${label}="${value}"`)
      .join(",")}}`,
    values,
  });
  const series = (metric: string, labels: Readonly<Record<string, string>>, values: string, suffix = ""): InputSeries =>
    labelled(spelled(metric, spelling) + suffix, { ...orders, ...labels }, values);
  const perMinute = (count: number, minutes: number): string => `0+${count}x${minutes}`;
  const calls = (labels: Readonly<Record<string, string>>, count: number, minutes: number): InputSeries =>
    series("inmesh.client.call.duration", { http_request_method: "GET", ...labels }, perMinute(count, minutes), "_count");
  const split = (good: number, bad: number, minutes: number): readonly InputSeries[] => [
    calls({ inmesh_outcome: "success" }, good, minutes),
    calls({ inmesh_outcome: "error", error_type: "503" }, bad, minutes),
  ];
  const attempts = (labels: Readonly<Record<string, string>>, count: number): InputSeries =>
    series("http.client.request.duration", { server_address: "orders", ...labels }, perMinute(count, 60), "_count");
  const good = calls({ inmesh_outcome: "success" }, 64, 60);
  const counter = (metric: string, count: number, labels: Readonly<Record<string, string>> = {}): InputSeries =>
    series(metric, labels, perMinute(count, 60));
  const gauge = (metric: string, value: number, labels: Readonly<Record<string, string>> = {}): InputSeries =>
    series(metric, labels, `${value}x60`);
  const endpoints = (state: string, value: number, instance = "a"): InputSeries =>
    gauge("inmesh.endpoints", value, { inmesh_endpoint_state: state, instance });
  const servers = (state: string, value: number): InputSeries => gauge("inmesh.servers", value, { inmesh_server_state: state });
  const registrations = (state: string, value: number, instance = "a"): InputSeries =>
    gauge("inmesh.registrations", value, { inmesh_registration_state: state, instance });
  const breaker = (scope: string, isOpen: boolean): InputSeries =>
    gauge("inmesh.breaker.state", isOpen ? 1 : 0, { inmesh_breaker_scope: scope, inmesh_breaker_state: "open" });
  const buckets = (at: number): readonly InputSeries[] =>
    [0.25, 0.5, 1].map((le) =>
      series("inmesh.client.call.duration", { inmesh_outcome: "success", le: String(le) }, perMinute(le >= at ? 64 : 0, 60), "_bucket"),
    );
  const inf = series("inmesh.client.call.duration", { inmesh_outcome: "success", le: "+Inf" }, perMinute(64, 60), "_bucket");
  const refused = (refusal: string, count: number): InputSeries =>
    labelled(spelled("inmesh.server.refused", spelling), { inmesh_server_refusal: refusal }, perMinute(count, 60));
  const served = (count: number): InputSeries =>
    labelled(`${spelled("http.server.request.duration", spelling)}_count`, { http_request_method: "GET" }, perMinute(count, 60));
  const servedCalls = (count: number): InputSeries =>
    labelled(
      `${spelled("rpc.server.call.duration", spelling)}_count`,
      { rpc_system_name: "grpc", rpc_method: "a.B/C" },
      perMinute(count, 60),
    );
  const answered = { http_response_status_code: "200" };
  const failed = { error_type: "ERR_MESH_CONNECT" };

  return [
    {
      alert: "InmeshErrorBudgetBurnFast",
      at: "70m",
      labels: orders,
      firing: split(48, 16, 90),
      value: "25%",
      quiet: [
        split(127, 1, 90),
        [calls({ inmesh_outcome: "success" }, 48, 90), calls({ inmesh_outcome: "cancelled" }, 16, 90)],
        // Fewer calls than minCallsPerSecond.
        split(3, 1, 90),
        // The failures are over, which the short window shows.
        [calls({ inmesh_outcome: "success" }, 48, 90), { ...calls({ inmesh_outcome: "error" }, 16, 0), values: "0+16x50 800x40" }],
      ],
    },
    {
      alert: "InmeshErrorBudgetBurnSlow",
      at: "2h",
      labels: orders,
      firing: split(63, 1, 130),
      value: "1.562%",
      quiet: [split(255, 1, 130)],
    },
    {
      alert: "InmeshErrorBudgetSpent",
      at: "100m",
      labels: orders,
      firing: split(255, 1, 110),
      value: "0.3906%",
      quiet: [split(2047, 1, 110)],
    },
    {
      alert: "InmeshRetriesHideFailures",
      at: "30m",
      labels: orders,
      firing: [good, attempts(answered, 48), attempts(failed, 16)],
      value: "25%",
      quiet: [
        [good, attempts(answered, 63), attempts(failed, 1)],
        [good, attempts(answered, 48), attempts({ http_response_status_code: "404", error_type: "404" }, 16)],
        [...split(48, 16, 60), attempts(answered, 48), attempts(failed, 16)],
      ],
    },
    {
      alert: "InmeshLatencyHigh",
      at: "30m",
      labels: orders,
      firing: [good, ...buckets(1), inf],
      value: "995ms",
      quiet: [[good, ...buckets(0.5), inf]],
    },
    {
      alert: "InmeshRetryStorm",
      at: "30m",
      labels: orders,
      firing: [good, counter("inmesh.client.retries", 32, { inmesh_retry_reason: "503" })],
      value: "50%",
      quiet: [[good, counter("inmesh.client.retries", 8, { inmesh_retry_reason: "503" })], [good]],
    },
    {
      alert: "InmeshRetryBudgetExhausted",
      at: "30m",
      labels: orders,
      firing: [counter("inmesh.client.retries.denied", 30, { inmesh_retry_denial: "budget" })],
      value: "0.50",
      quiet: [[counter("inmesh.client.retries.denied", 30, { inmesh_retry_denial: "attempts" })]],
    },
    {
      alert: "InmeshDeadlineExceeded",
      at: "30m",
      labels: orders,
      firing: [good, counter("inmesh.client.deadline.exceeded", 16)],
      value: "25%",
      quiet: [[calls({ inmesh_outcome: "success" }, 128, 60), counter("inmesh.client.deadline.exceeded", 1)]],
    },
    {
      alert: "InmeshOverloaded",
      at: "30m",
      labels: orders,
      firing: [
        calls({ inmesh_outcome: "success" }, 48, 60),
        calls({ inmesh_outcome: "rejected", error_type: "ERR_MESH_OVERLOADED" }, 16, 60),
      ],
      value: "25%",
      quiet: [
        [calls({ inmesh_outcome: "success" }, 127, 60), calls({ inmesh_outcome: "rejected", error_type: "ERR_MESH_OVERLOADED" }, 1, 60)],
        [calls({ inmesh_outcome: "success" }, 48, 60), calls({ inmesh_outcome: "rejected", error_type: "ERR_MESH_CIRCUIT_OPEN" }, 16, 60)],
      ],
    },
    {
      alert: "InmeshNoEndpoints",
      at: "10m",
      labels: orders,
      firing: [endpoints("available", 0), endpoints("ejected", 3), endpoints("available", 3, "b")],
      value: "",
      quiet: [[endpoints("available", 1), endpoints("ejected", 0), endpoints("available", 3, "b")]],
    },
    { alert: "InmeshPanic", at: "10m", labels: orders, firing: [gauge("inmesh.panic", 1)], value: "", quiet: [[gauge("inmesh.panic", 0)]] },
    {
      alert: "InmeshEjectionsHigh",
      at: "30m",
      labels: orders,
      firing: [endpoints("available", 6), endpoints("ejected", 1), endpoints("probing", 1)],
      value: "25%",
      quiet: [
        [endpoints("available", 7), endpoints("ejected", 1), endpoints("probing", 0)],
        [endpoints("available", 3), endpoints("unhealthy", 1)],
      ],
    },
    {
      alert: "InmeshBreakerOpen",
      at: "10m",
      labels: orders,
      firing: [breaker("service", true)],
      value: "",
      quiet: [[breaker("service", false)], [breaker("endpoint", true)]],
    },
    {
      alert: "InmeshQueueing",
      at: "30m",
      labels: orders,
      firing: [gauge("inmesh.concurrency.queued", 4)],
      value: "4",
      quiet: [[gauge("inmesh.concurrency.queued", 0)]],
    },
    {
      alert: "InmeshDiscoveryStale",
      at: "30m",
      labels: orders,
      firing: [gauge("inmesh.discovery.age", 600)],
      value: "10m 0s",
      quiet: [[gauge("inmesh.discovery.age", 240)]],
    },
    {
      alert: "InmeshDiscoveryErrors",
      at: "30m",
      labels: orders,
      firing: [counter("inmesh.discovery.errors", 30, { error_type: "ERR_MESH_DISCOVERY" })],
      value: "0.50",
      quiet: [[gauge("inmesh.discovery.errors", 7, { error_type: "ERR_MESH_DISCOVERY" })]],
    },
    {
      alert: "InmeshRegistrationFailing",
      at: "10m",
      labels: orders,
      firing: [registrations("failing", 1), registrations("registered", 1), registrations("pending", 1, "b")],
      value: "2",
      quiet: [[registrations("failing", 0), registrations("registered", 2)]],
    },
    {
      alert: "InmeshServerStuck",
      at: "10m",
      labels: orders,
      firing: [servers("draining", 1), servers("serving", 3)],
      value: "1",
      quiet: [[servers("draining", 0), servers("serving", 3)]],
    },
    {
      alert: "InmeshRequestsCutOff",
      at: "10m",
      labels: orders,
      firing: [counter("inmesh.server.cut_off", 3)],
      value: "0.050",
      quiet: [[gauge("inmesh.server.cut_off", 7)]],
    },
    {
      alert: "InmeshRegistrationLost",
      at: "40m",
      labels: orders,
      firing: [counter("inmesh.registration.losses", 3)],
      value: "0.050",
      quiet: [[gauge("inmesh.registration.losses", 7)]],
    },
    {
      alert: "InmeshServerOverloaded",
      at: "30m",
      labels: {},
      firing: [refused("shedding", 15), refused("concurrency", 15), refused("rate limit", 30), served(120)],
      value: "25%",
      quiet: [
        [refused("shedding", 3), served(120)],
        [refused("rate limit", 60), served(120)],
        // Of HTTP or of gRPC alone it would be more than a twentieth.
        [refused("shedding", 5), served(60), servedCalls(60)],
      ],
    },
    {
      alert: "InmeshServerOverloaded",
      at: "30m",
      labels: {},
      firing: [refused("shedding", 30), servedCalls(120)],
      value: "25%",
      quiet: [[refused("shedding", 3), servedCalls(120)]],
    },
    {
      alert: "InmeshServerOverloaded",
      at: "30m",
      labels: {},
      firing: [refused("shedding", 30), served(60), servedCalls(60)],
      value: "25%",
      quiet: [],
    },
    ...configCases({ labelled, spelling }),
    ...securityCases({ labelled, series, spelling }),
    ...routeCases({ labelled, series, spelling }),
  ];
}
