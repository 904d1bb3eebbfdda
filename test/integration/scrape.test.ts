import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { context, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { Registry } from "@prometheus-io/client";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh, type Mesh, staticDiscovery } from "../../src/index.ts";
import { type PrometheusObserver, prometheus } from "../../src/telemetry/prometheus.ts";
import { available, requireServer } from "../servers/available.ts";
import { startPrometheus } from "../servers/prometheus.ts";
import { samplesOf, total } from "../telemetry/prometheus/parse.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A mesh whose service "web" answers 503 to what comes as POST, and 200 to all else. */
async function meshWith(observer: PrometheusObserver): Promise<Mesh> {
  const port = await listen((request, response) => {
    request.resume();
    response.writeHead(request.method === "POST" ? 503 : 200).end("hello");
  });
  const mesh = createMesh({ discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port }] }), observers: [observer] });
  cleanups.push(() => mesh.close());
  return mesh;
}

async function call(mesh: Mesh, method = "GET"): Promise<void> {
  await (await mesh.fetch("web/path?token=hunter2", { method })).text();
}

describe("a mesh that is scraped", () => {
  it("counts each call and attempt once, and shows nothing of paths, queries and addresses", async () => {
    const observer = prometheus();
    const mesh = await meshWith(observer);
    for (let round = 0; round < 5; round++) await call(mesh);
    for (let round = 0; round < 2; round++) await call(mesh, "POST");
    const text = await observer.metrics();
    expect(total(text, "inmesh_client_call_duration_seconds_count", { inmesh_outcome: "success" })).toBe(5);
    expect(total(text, "inmesh_client_call_duration_seconds_count", { inmesh_outcome: "error", error_type: "503" })).toBe(2);
    expect(total(text, "http_client_request_duration_seconds_count", { http_request_method: "POST" })).toBe(2);
    expect(total(text, "inmesh_endpoints", { server_service_name: "web" })).toBe(1);
    expect(text).not.toMatch(/hunter2|\/path|127\.0\.0\.1/);
  });

  it("is scraped while it closes, and afterwards", async () => {
    const observer = prometheus();
    const mesh = await meshWith(observer);
    await call(mesh);
    const open = await mesh.fetch("web/path");
    const scrapes = [observer.metrics()];
    const closing = mesh.close();
    scrapes.push(observer.metrics());
    await open.text().catch(() => undefined);
    scrapes.push(observer.metrics());
    await closing;
    scrapes.push(observer.metrics());
    const texts = await Promise.all(scrapes);
    for (const text of texts) expect(total(text, "inmesh_client_call_duration_seconds_count")).toBeGreaterThan(0);
    expect(total(texts[3] as string, "inmesh_client_call_duration_seconds_count")).toBe(2);
    expect(samplesOf(texts[3] as string).some(({ name }) => name === "inmesh_client_active_calls")).toBe(false);
  });

  it("is one of two that add up in a registry, and may be observed after it was made", async () => {
    const registry = new Registry();
    const observers = [prometheus({ registry }), prometheus({ registry })];
    const meshes = [await meshWith(prometheus()), await meshWith(prometheus())];
    for (const [index, mesh] of meshes.entries()) {
      await call(mesh);
      mesh.observe(observers[index] as PrometheusObserver);
      await call(mesh);
    }
    const text = await registry.metrics();
    expect(total(text, "http_client_request_duration_seconds_count", { server_service_name: "web" })).toBe(2);
    expect(total(text, "inmesh_endpoints")).toBe(2);
  });
});

describe.skipIf(!available("prometheus"))("what Prometheus makes of it", { timeout: 60_000 }, () => {
  it("promtool has nothing against the names, the kinds and what is said of them", async () => {
    const observer = prometheus({ perEndpoint: true, perRoute: true });
    const mesh = await meshWith(observer);
    await call(mesh);
    const tool = join(requireServer("prometheus"), "usr/bin/promtool");
    const check = (text: string) =>
      new Promise<{ readonly code: number | null; readonly output: string }>((resolve) => {
        const child = execFile(tool, ["check", "metrics"], (_error, stdout, stderr) => {
          resolve({ code: child.exitCode, output: stdout + stderr });
        });
        child.stdin?.end(text);
      });
    expect(await check(await observer.metrics())).toEqual({ code: 0, output: "" });
    expect((await check("# TYPE bad counter\nbad 1\n")).code).not.toBe(0);
  });

  it("a real one scrapes it in OpenMetrics, with exemplars and whatever stands in a label", async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    cleanups.push(() => context.disable());
    const observer = prometheus({ perRoute: true });
    const mesh = await meshWith(observer);
    const route = 'a "quoted"\nline \\ of 中';
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const span = { traceId, spanId: "b7ad6b7169203331", traceFlags: TraceFlags.SAMPLED };
    await context.with(trace.setSpanContext(context.active(), span), async () => {
      await (await mesh.fetch("web/path", { mesh: { route } })).text();
    });
    const accepted: (string | undefined)[] = [];
    const port = await listen((request, response) => {
      accepted.push(request.headers.accept);
      observer.handler(request, response);
    });
    const server = await startPrometheus({
      config: {
        global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
        scrape_configs: [{ job_name: "mesh", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
      },
    });
    cleanups.push(() => server.stop());
    const patient = { timeout: 20_000 };
    await expect.poll(() => server.targets(), patient).toMatchObject([{ health: "up", lastError: "" }]);
    const count = "inmesh_client_call_duration_seconds_count";
    await expect
      .poll(() => server.query(count), patient)
      .toMatchObject([{ value: 1, labels: { server_service_name: "web", inmesh_outcome: "success", url_template: route } }]);
    expect(accepted[0]).toContain("application/openmetrics-text");
    const range = { startMs: Date.now() - 60_000, endMs: Date.now() + 60_000 };
    const [series] = await server.queryExemplars("inmesh_client_call_duration_seconds_bucket", range);
    expect(series?.exemplars[0]).toMatchObject({ labels: { trace_id: traceId, span_id: span.spanId } });
    const names = (await server.query('count by (__name__) ({__name__=~"(inmesh|http)_.+"})')).map(({ labels }) => labels["__name__"]);
    expect(names).toEqual(expect.arrayContaining(["inmesh_client_picks_total", "inmesh_discovery_age_seconds", "inmesh_breaker_state"]));
  });
});
