import type * as Http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { SpanKind } from "@opentelemetry/api";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import Fastify from "fastify";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { inbound } from "../../../src/server/inbound/middleware.ts";
import { serve } from "../../../src/server/server.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { prometheus } from "../../../src/telemetry/prometheus.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve as instance } from "../../support/servers.ts";
import { MetricsSdk, TracesSdk } from "../../telemetry/support.ts";
import { ask, askRaw } from "./served.ts";

let sdk: TracesSdk;
beforeEach(() => {
  sdk = new TracesSdk();
});
afterEach(() => sdk.close());

const spansOf = (kind: SpanKind): readonly ReadableSpan[] => sdk.spans.filter((span) => span.kind === kind);

test("a call made while serving is a child of the served request, in one trace from caller to instance", async () => {
  const users = await instance((_request, response) => void response.end("ok"));
  const mesh = meshOf({ users: users.port }, { observers: [openTelemetry()] });
  const fastify = Fastify();
  fastify.get("/", async () => (await mesh.fetch("users/1")).text());
  await fastify.listen({ port: 0, host: "127.0.0.1" });
  const serving = serve(fastify, { mesh, signals: [], lameDuckMs: 0, log: false, inbound: {} });
  onTestFinished(async () => void (await serving.stop()));
  const { port } = fastify.server.address() as AddressInfo;
  const caller = meshOf({ shop: port }, { observers: [openTelemetry()] });
  expect(await (await caller.fetch("shop/")).text()).toBe("ok");
  await expect.poll(() => sdk.spans.length).toBe(3);
  const [served] = spansOf(SpanKind.SERVER);
  const toShop = spansOf(SpanKind.CLIENT).find(({ attributes }) => attributes["server.service.name"] === "shop");
  const toUsers = spansOf(SpanKind.CLIENT).find(({ attributes }) => attributes["server.service.name"] === "users");
  expect(served?.parentSpanContext?.spanId).toBe(toShop?.spanContext().spanId);
  expect(toUsers?.parentSpanContext?.spanId).toBe(served?.spanContext().spanId);
});

test("beside the instrumentation of node:http, each request has one SERVER span and one measurement", async () => {
  const instrumentation = new HttpInstrumentation();
  instrumentation.setTracerProvider(sdk.provider);
  const http = createRequire(import.meta.url)("node:http") as typeof Http;
  const metrics = new MetricsSdk();
  onTestFinished(async () => {
    instrumentation.disable();
    await metrics.close();
  });
  const observer = prometheus();
  const mesh = meshOf({}, { observers: [openTelemetry(), observer] });
  const guard = inbound({ mesh });
  const behind = http.createServer((request, response) => guard(request, response, () => response.end("ok")));
  const gated = http.createServer((_request, response) => void response.end("ok"));
  for (const server of [behind, gated]) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
  }
  const serving = serve(gated, { mesh, signals: [], lameDuckMs: 0, log: false, inbound: {} });
  onTestFinished(async () => void (await serving.stop()));
  for (const server of [behind, gated]) {
    const { port } = server.address() as AddressInfo;
    await askRaw(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  }
  await expect.poll(() => spansOf(SpanKind.SERVER).length).toBe(2);
  expect(spansOf(SpanKind.SERVER).map(({ instrumentationScope }) => instrumentationScope.name)).toEqual([
    "@opentelemetry/instrumentation-http",
    "@opentelemetry/instrumentation-http",
  ]);
  expect(await metrics.points("http.server.request.duration")).toEqual([]);
  expect(await observer.metrics()).toMatch(/http_server_request_duration_seconds_count\{[^}]*\} 2/);
});

test("refusals are told by the part that made them, and observers that throw change nothing", async () => {
  const observer = prometheus();
  const mesh = meshOf(
    {},
    {
      observers: [
        {
          onServe() {
            throw new Error("no");
          },
        },
        observer,
      ],
    },
  );
  const { createServer } = await import("node:http");
  const guard = inbound({ mesh, rateLimit: { perSecond: 0.1, burst: 1 } });
  const server = createServer((request, response) => guard(request, response, () => response.end("ok")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect([(await ask(port)).status, (await ask(port)).status]).toEqual([200, 429]);
  await expect.poll(() => observer.metrics()).toContain('inmesh_server_refused_total{inmesh_server_refusal="rate limit"} 1');
  // Probes are no requests of users.
  await ask(port, { path: "/.inmesh/live" });
  expect(await observer.metrics()).toMatch(/http_server_request_duration_seconds_count\{[^}]*"200"[^}]*\} 1/);
});
