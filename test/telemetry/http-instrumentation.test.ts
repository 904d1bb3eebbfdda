import type * as Http from "node:http";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { TracesSdk } from "./support.ts";

// The instrumentation patches the module when it is required: an import before that has the original functions.
const instrumentations = [new HttpInstrumentation(), new UndiciInstrumentation()];
const http = createRequire(import.meta.url)("node:http") as typeof Http;

let sdk: TracesSdk;
afterAll(() => {
  for (const each of instrumentations) each.disable();
});
beforeEach(() => {
  sdk = new TracesSdk();
  // They keep the tracer of the first provider that they see.
  for (const each of instrumentations) each.setTracerProvider(sdk.provider);
  propagation.disable();
  propagation.setGlobalPropagator(new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }));
});
afterEach(() => sdk.close());

const isOurs = (span: ReadableSpan) => span.instrumentationScope.name === "inmesh";
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;
/** Spans as soon as there are so many: that of a server ends after the client has the answer. */
async function spans(count: number): Promise<readonly ReadableSpan[]> {
  await until(`there are ${count} spans`, () => sdk.spans.length >= count);
  await pause(20);
  return sdk.spans;
}
const sentHeaders = (raw: readonly string[], name: string) => raw.filter((_, index) => raw[index - 1]?.toLowerCase() === name);

test("a call has one CLIENT span for its attempt, and the server's one SERVER span is below it", async () => {
  const server = await serve((_request, response) => void response.end("ok"));
  const mesh = meshOf({ users: server.port });
  await (await mesh.fetch("users/1")).text();
  const all = await spans(2);
  expect(all.map(({ kind, instrumentationScope }) => [kind, instrumentationScope.name]).sort()).toEqual([
    [SpanKind.SERVER, "@opentelemetry/instrumentation-http"],
    [SpanKind.CLIENT, "inmesh"],
  ]);
  const client = all.find(isOurs);
  expect(parentOf(all.find((span) => !isOurs(span)))).toBe(idOf(client));
  expect(sentHeaders(server.seen[0]?.rawHeaders ?? [], "traceparent")).toHaveLength(1);
});

test("with callSpans: caller, call, an attempt that failed, one that did not, and below each the server that it reached", async () => {
  let answers = 0;
  const answer = () => serve((_request, response) => void response.writeHead(answers++ === 0 ? 503 : 200).end("ok"));
  const ports = [(await answer()).port, (await answer()).port];
  const mesh = meshOf({ users: ports }, { observers: [openTelemetry({ callSpans: true })] });
  const handler = trace.getTracer("test").startSpan("handler");
  const response = await context.with(trace.setSpan(ROOT_CONTEXT, handler), () => mesh.fetch("users/1"));
  await response.text();
  handler.end();
  const all = await spans(6);
  expect(all).toHaveLength(6);
  expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
  const call = all.find(({ kind }) => kind === SpanKind.INTERNAL);
  const [first, second] = all.filter(({ kind }) => kind === SpanKind.CLIENT);
  const servers = all.filter(({ kind }) => kind === SpanKind.SERVER);
  expect(parentOf(call)).toBe(handler.spanContext().spanId);
  expect([parentOf(first), parentOf(second)]).toEqual([idOf(call), idOf(call)]);
  expect(servers.map(parentOf)).toEqual([idOf(first), idOf(second)]);
  expect(second?.attributes["http.request.resend_count"]).toBe(1);
});

test("baggage of the caller goes out with each attempt, once", async () => {
  const server = await serve();
  const mesh = meshOf({ users: server.port });
  const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
  await (await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => mesh.fetch("users/1"))).text();
  const { rawHeaders = [] } = server.seen[0] ?? {};
  expect(sentHeaders(rawHeaders, "baggage")).toEqual(["tenant=acme"]);
  expect(sentHeaders(rawHeaders, "traceparent")).toHaveLength(1);
});

test("a request of node:http through mesh.agent() has the instrumentation's span and traceparent, and none of ours", async () => {
  const server = await serve((_request, response) => void response.end("ok"));
  const mesh = meshOf({ users: server.port });
  const agent = mesh.agent();
  const status = await new Promise((resolve, reject) => {
    http
      .get("http://users/1", { agent }, (response) => response.resume().once("end", () => resolve(response.statusCode)))
      .once("error", reject);
  });
  agent.destroy();
  expect(status).toBe(200);
  const all = await spans(2);
  const client = all.find(({ kind }) => kind === SpanKind.CLIENT);
  expect(all.map(({ instrumentationScope }) => instrumentationScope.name)).toEqual(Array(2).fill("@opentelemetry/instrumentation-http"));
  expect(parentOf(all.find(({ kind }) => kind === SpanKind.SERVER))).toBe(idOf(client));
  const traceparent = `00-${client?.spanContext().traceId}-${client?.spanContext().spanId}-01`;
  expect(sentHeaders(server.seen[0]?.rawHeaders ?? [], "traceparent")).toEqual([traceparent]);
});

test("what discovery asks its registry, and goes on asking, is not part of the trace of the call that came first", async () => {
  const server = await serve((_request, response) => void response.end("ok"));
  const registry = await serve((_request, response) => void response.end("ok"));
  const ask = () =>
    new Promise((resolve, reject) => {
      http.get(`http://127.0.0.1:${registry.port}/poll`, (response) => response.resume().once("end", resolve)).once("error", reject);
    });
  const polling: Discovery = {
    async *watch(_service, signal) {
      while (!signal.aborted) {
        await ask();
        yield [{ id: "0", host: "127.0.0.1", port: server.port }];
        await pause(5, undefined, { signal }).catch(() => {});
      }
    },
  };
  const mesh = closing(createMesh({ discovery: polling, drainTimeoutMs: 0 }));
  const handler = trace.getTracer("test").startSpan("handler");
  await (await context.with(trace.setSpan(ROOT_CONTEXT, handler), () => mesh.fetch("users/1"))).text();
  await until("it has asked three times", () => registry.seen.length >= 3);
  await mesh.close();
  const { traceId } = handler.spanContext();
  const ofTheRegistry = sdk.spans.filter(({ attributes }) => JSON.stringify(attributes).includes(`${registry.port}`));
  expect(ofTheRegistry.length).toBeGreaterThan(2);
  expect(ofTheRegistry.filter((span) => span.spanContext().traceId === traceId)).toEqual([]);
});
