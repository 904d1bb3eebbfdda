import { context, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { Counter, Registry } from "@prometheus-io/client";
import { afterEach, describe, expect, it } from "vitest";
import type { EjectionRule } from "../../src/core/ejection-rule.ts";
import { MeshError } from "../../src/core/errors.ts";
import { metricTable } from "../../src/telemetry/metrics/metric-table.ts";
import { prometheusName } from "../../src/telemetry/prometheus/spelling.ts";
import { type PrometheusOptions, prometheus } from "../../src/telemetry/prometheus.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { samplesOf, total } from "./prometheus/parse.ts";
import { attemptEnd, callEnd, changeState, oneAttempt, resolved, ShownMesh, serviceReading } from "./support.ts";

const openMetrics = Registry.OPENMETRICS_CONTENT_TYPE;
const service = "orders";
const request = testRequest({ service });
const upstream = testUpstream({ service });

/** A registry in which one call with one attempt was counted. */
async function textOf(options: PrometheusOptions): Promise<string> {
  const observer = prometheus(options);
  resolved(observer, service);
  oneAttempt(observer, request, upstream);
  observer.onCall?.(request)?.onEnd?.(callEnd());
  return await observer.metrics();
}

describe("prometheus()", () => {
  it("registers every metric of the reference, with its kind and what it says of it", async () => {
    const text = await prometheus().metrics();
    const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
    const kinds = { histogram: "histogram", counter: "counter", "observable gauge": "gauge", "observable up-down counter": "gauge" };
    const definitions = Object.values(metricTable);
    expect(types).toEqual(Object.fromEntries(definitions.map((each) => [prometheusName(each), kinds[each.kind]])));
    for (const each of definitions) expect(text).toContain(`# HELP ${prometheusName(each)} ${each.description}\n`);
    expect(Object.keys(types)).toEqual(
      expect.arrayContaining([
        "http_client_request_duration_seconds",
        "inmesh_client_retries_denied_total",
        "inmesh_discovery_age_seconds",
        "inmesh_breaker_state",
        "inmesh_tls_certificate_expiry_seconds",
      ]),
    );
  });

  it("counts calls and attempts into buckets that add up", async () => {
    const observer = prometheus();
    resolved(observer, service);
    for (const totalMs of [3, 5, 5.001, 20_000]) oneAttempt(observer, request, upstream, attemptEnd({ totalMs }));
    oneAttempt(observer, request, upstream, attemptEnd({ record: { status: 503 } }));
    observer.onCall?.(request)?.onEnd?.(callEnd({ attempts: 2, totalMs: 40 }));
    const text = await observer.metrics();
    const name = "http_client_request_duration_seconds";
    const good = { http_response_status_code: "200", server_service_name: service, server_address: service, http_request_method: "GET" };
    const buckets = samplesOf(text).filter(
      (sample) => sample.name === `${name}_bucket` && sample.labels["http_response_status_code"] === "200",
    );
    expect(buckets.map(({ labels, value }) => `${labels["le"]} ${value}`)).toEqual(
      ["0.005 2", "0.01 3", "0.025 3", "0.05 3", "0.075 3", "0.1 3", "0.25 3", "0.5 3", "0.75 3", "1 3", "2.5 3", "5 3", "7.5 3"].concat([
        "10 3",
        "+Inf 4",
      ]),
    );
    expect(buckets[0]?.labels).toEqual({ ...good, le: "0.005" });
    expect(total(text, `${name}_count`, good)).toBe(4);
    expect(total(text, `${name}_sum`, good)).toBeCloseTo(20.013_001, 9);
    expect(total(text, `${name}_count`, { error_type: "503" })).toBe(1);
    expect(total(text, "inmesh_client_attempts_bucket", { le: "1" })).toBe(0);
    expect(total(text, "inmesh_client_attempts_bucket", { le: "2" })).toBe(1);
    expect(total(text, "inmesh_client_call_duration_seconds_count", { inmesh_outcome: "success" })).toBe(1);
  });

  it("reads the gauges of a mesh when it is scraped, until the mesh closes", async () => {
    const observer = prometheus();
    const mesh = new ShownMesh();
    const show = (inFlight: number) => {
      mesh.shown = [serviceReading(service, { inFlight, endpoints: { available: 2, ejected: 1, probing: 0, unhealthy: 0 } })];
    };
    show(1);
    observer.onOpen?.(mesh);
    const before = await observer.metrics();
    show(7);
    const after = await observer.metrics();
    expect([before, after].map((text) => total(text, "inmesh_client_active_calls", { server_service_name: service }))).toEqual([1, 7]);
    expect(total(after, "inmesh_endpoints", { inmesh_endpoint_state: "ejected" })).toBe(1);
    oneAttempt(observer, request, upstream);
    observer.onClose?.();
    const closed = await observer.metrics();
    expect(samplesOf(closed).some(({ name }) => /active_calls|inmesh_endpoints|breaker_state/.test(name))).toBe(false);
    expect(total(closed, "inmesh_client_picks_total")).toBe(1);
  });

  it("drops the gauges of a service that is no more", async () => {
    const observer = prometheus();
    const mesh = new ShownMesh();
    mesh.shown = [serviceReading(service), serviceReading("prices")];
    observer.onOpen?.(mesh);
    expect(samplesOf(await observer.metrics()).filter(({ name }) => name === "inmesh_retry_budget")).toHaveLength(2);
    mesh.shown = [serviceReading(service)];
    expect(samplesOf(await observer.metrics()).filter(({ name }) => name === "inmesh_retry_budget")).toHaveLength(1);
  });
});

describe("a registry", () => {
  it("that two meshes share adds them up, and keeps what a closed one has counted", async () => {
    const registry = new Registry();
    const [one, two] = [prometheus({ registry }), prometheus({ registry })];
    const [mesh, other] = [new ShownMesh(), new ShownMesh()];
    mesh.shown = [serviceReading(service, { discoveryAgeMs: 3_000, panicking: true })];
    other.shown = [serviceReading(service, { discoveryAgeMs: 8_000 })];
    one.onOpen?.(mesh);
    two.onOpen?.(other);
    for (const observer of [one, one, two]) oneAttempt(observer, request, upstream);
    const text = await two.metrics();
    expect(text).toBe(await one.metrics());
    expect(total(text, "http_client_request_duration_seconds_count")).toBe(3);
    expect(total(text, "inmesh_client_picks_total")).toBe(3);
    expect(total(text, "inmesh_retry_budget")).toBe(20);
    // Sums of ages or of flags would mean nothing.
    expect(total(text, "inmesh_discovery_age_seconds")).toBe(8);
    expect(total(text, "inmesh_panic")).toBe(1);
    one.onClose?.();
    const later = await two.metrics();
    expect(total(later, "http_client_request_duration_seconds_count")).toBe(3);
    expect(total(later, "inmesh_retry_budget")).toBe(10);
  });

  it("in which one of the names is taken is refused, and nothing is left in it", () => {
    const registry = new Registry();
    new Counter({ name: "inmesh_ejections_total", help: "mine", registers: [registry] });
    expect(() => prometheus({ registry })).toThrow(
      new TypeError("prometheus: registry has a metric called inmesh_ejections_total that is not of inmesh"),
    );
    expect(registry.getMetricsAsArray()).toHaveLength(1);
  });

  it("of another package is refused with the reason", () => {
    const other = { registerMetric() {}, getSingleMetric() {}, contentType: Registry.PROMETHEUS_CONTENT_TYPE };
    expect(() => prometheus({ registry: other as unknown as Registry })).toThrow(
      /^prometheus: registry must be .*not one of another package: prom-client/,
    );
    expect(() => prometheus({ registry: 5 as unknown as Registry })).toThrow(TypeError);
  });

  it("that is cleared takes new metrics, and one that is reset begins at nothing", async () => {
    const registry = new Registry();
    expect(total(await textOf({ registry }), "inmesh_client_attempts_count")).toBe(1);
    registry.resetMetrics();
    expect(total(await textOf({ registry }), "inmesh_client_attempts_count")).toBe(1);
    registry.clear();
    expect(samplesOf(await registry.metrics())).toEqual([]);
    expect(total(await textOf({ registry }), "inmesh_client_attempts_count")).toBe(2);
  });

  it("keeps its own metrics and its default labels beside", async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ zone: "a" });
    new Counter({ name: "mine_total", help: "mine", registers: [registry] }).inc(3);
    const text = await textOf({ registry });
    expect(total(text, "mine_total", { zone: "a" })).toBe(3);
    expect(total(text, "inmesh_client_call_duration_seconds_count", { zone: "a", server_service_name: service })).toBe(1);
    expect(await registry.metrics()).toBe(text);
  });

  it("gives the same as JSON, which workers send, and as a sum of workers", async () => {
    const registries = [new Registry(), new Registry()];
    for (const registry of registries) await textOf({ registry });
    const sum = Registry.aggregate(await Promise.all(registries.map((registry) => registry.getMetricsAsJSON())));
    const text = await sum.metrics();
    expect(total(text, "http_client_request_duration_seconds_count", { http_response_status_code: "200" })).toBe(2);
    expect(total(text, "http_client_request_duration_seconds_bucket", { le: "0.05" })).toBe(2);
  });

  it("gets the metrics of the process on request, once", async () => {
    const registry = new Registry();
    prometheus({ registry, defaultMetrics: true });
    const text = await prometheus({ registry, defaultMetrics: true }).metrics();
    expect(text).toContain("process_cpu_seconds_total");
    expect(await prometheus().metrics()).not.toContain("process_cpu_seconds_total");
  });
});

describe("names and values from outside", () => {
  it("are the value of a label, whatever is in them", async () => {
    const observer = prometheus({ perRoute: true });
    const names = ['quo"te', "new\nline", "back\\slash", "\\", "ünïcødé 中", "__proto__", "a|b", 'x",le="1', "nul\0l", "\uD800"];
    for (const name of names) {
      resolved(observer, name);
      oneAttempt(observer, testRequest({ service: name, options: { route: name } }), testUpstream({ service: name }));
    }
    const seen = samplesOf(await observer.metrics()).filter(({ name }) => name === "http_client_request_duration_seconds_count");
    const expected = names.map((name) => name.replace("\0", "\uFFFD").replace("\uD800", "\uFFFD"));
    expect(seen.map(({ labels }) => labels["server_service_name"])).toEqual(expected);
    expect(seen.map(({ labels }) => labels["url_template"])).toEqual(expected);
  });

  it("are told apart also with the sign that the package joins labels with", async () => {
    const observer = prometheus({ perRoute: true });
    for (const [name, route] of [
      ["a|b", "c"],
      ["a", "b|c"],
    ] as const) {
      resolved(observer, name);
      observer.onCall?.(testRequest({ service: name, options: { route } }))?.onEnd?.(callEnd());
    }
    const seen = samplesOf(await observer.metrics()).filter(({ name }) => name === "inmesh_client_call_duration_seconds_count");
    expect(seen.map(({ value }) => value)).toEqual([1, 1]);
  });

  it("make no more series than there are known ones: ten thousand services, methods, statuses and routes", async () => {
    const observer = prometheus({ perRoute: true });
    const random = seededRandom(1);
    const word = () => Math.floor(random() * 1e9).toString(36);
    for (let round = 0; round < 10_000; round++) {
      const invented = testRequest({ service: word(), method: word().toUpperCase(), options: { route: word() } });
      oneAttempt(
        observer,
        invented,
        testUpstream({ service: invented.service }),
        attemptEnd({ record: { status: 100 + Math.floor(random() * 900) } }),
      );
      observer.onCall?.(invented)?.onEnd?.(callEnd({ status: undefined, error: new MeshError("ERR_MESH_NO_ENDPOINTS", word()) }));
      observer.onEvent?.({ type: "retry", service: invented.service, request: invented, reason: word(), delayMs: 0 });
      changeState(observer, testUpstream({ service: invented.service }), "ejected", word() as EjectionRule);
    }
    const counts = new Map<string, number>();
    for (const { name } of samplesOf(await observer.metrics())) counts.set(name, (counts.get(name) ?? 0) + 1);
    // The first hundred routes with one status each, all others with under 200.
    expect(counts.get("http_client_request_duration_seconds_count")).toBeLessThan(100 + 200);
    expect(counts.get("inmesh_client_call_duration_seconds_count")).toBe(101);
    expect(counts.get("inmesh_client_retries_total")).toBe(33);
    expect(counts.get("inmesh_ejections_total")).toBe(1);
  });

  it("lose no measurement to the limit of series", async () => {
    const observer = prometheus({ perEndpoint: true });
    resolved(observer, service);
    for (let port = 1; port <= 3_000; port++) oneAttempt(observer, request, testUpstream({ service, port }));
    const text = await observer.metrics();
    expect(total(text, "http_client_request_duration_seconds_count")).toBe(3_000);
    expect(total(text, "http_client_request_duration_seconds_count", { otel_metric_overflow: "true" })).toBe(1_000);
  });
});

describe("exemplars", () => {
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const call = (observer: ReturnType<typeof prometheus>, traceFlags: TraceFlags) =>
    context.with(trace.setSpanContext(context.active(), { ...span, traceFlags }), () => {
      const own = observer.onCall?.(request);
      observer.onAttempt?.(request, upstream, own)?.onEnd?.(attemptEnd());
      own?.onEnd?.(callEnd());
    });
  const observerWith = (options: PrometheusOptions) => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    const observer = prometheus(options);
    resolved(observer, service);
    return observer;
  };
  const exemplarsOf = async (observer: ReturnType<typeof prometheus>) =>
    samplesOf(await observer.metrics()).flatMap(({ name, labels, exemplar }) =>
      exemplar === undefined ? [] : [{ name, le: labels["le"], exemplar }],
    );
  afterEach(() => context.disable());

  it("lead from the durations to the trace of a sampled call, in OpenMetrics", async () => {
    const observer = observerWith({ registry: new Registry(openMetrics) });
    call(observer, TraceFlags.SAMPLED);
    const exemplar = { trace_id: span.traceId, span_id: span.spanId };
    expect(observer.contentType).toBe(openMetrics);
    expect(await exemplarsOf(observer)).toEqual([
      { name: "http_client_request_duration_seconds_bucket", le: "0.05", exemplar },
      { name: "inmesh_client_call_duration_seconds_bucket", le: "0.05", exemplar },
    ]);
    expect(await observer.metrics()).toMatch(/ # \{trace_id="[^"]+",span_id="[^"]+"\} 0\.03 \d+(\.\d+)?\n/);
  });

  it.each([
    ["of a call that is not sampled", {}, TraceFlags.NONE],
    ["where they are switched off", { exemplars: false }, TraceFlags.SAMPLED],
  ])("are not kept %s", async (_why, options, traceFlags) => {
    const observer = observerWith({ registry: new Registry(openMetrics), ...options });
    call(observer, traceFlags);
    expect(await exemplarsOf(observer)).toEqual([]);
    expect(total(await observer.metrics(), "http_client_request_duration_seconds_count")).toBe(1);
  });

  it("have no place in the text format", async () => {
    const observer = observerWith({});
    call(observer, TraceFlags.SAMPLED);
    expect(await observer.metrics()).not.toContain("trace_id");
  });
});

describe("the options", () => {
  it.each([
    [{ perRoute: 1 }, "prometheus: perRoute must be true or false, not 1"],
    [{ maxServices: -1 }, "prometheus: maxServices must be at least 0, not -1"],
    [{ timeoutMs: 0 }, "prometheus: timeoutMs must be from 1 to 2147483647, not 0"],
    [{ buckets: [1] }, 'prometheus has no option "buckets"'],
    [[], "prometheus: options must be an object with options, not an array"],
  ])("%j are refused at once", (options, message) => {
    expect(() => prometheus(options as PrometheusOptions)).toThrow(message);
  });
});
