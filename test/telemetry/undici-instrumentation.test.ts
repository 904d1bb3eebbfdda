import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { Pool } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { isMeshRequest } from "../../src/telemetry/spans/spans.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { attemptEnd, TracesSdk } from "./support.ts";

let sdk: TracesSdk;
let server: Server;
let pool: Pool;
let received: string[][];
let instrumentation: UndiciInstrumentation | undefined;

beforeEach(async () => {
  sdk = new TracesSdk();
  received = [];
  server = createServer((request, response) => {
    received.push(request.rawHeaders.flatMap((name, index, all) => (name === "traceparent" ? [all[index + 1] ?? ""] : [])));
    response.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // One connection: further requests wait inside undici and are sent from the socket's callbacks.
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
});
afterEach(async () => {
  instrumentation?.disable();
  instrumentation = undefined;
  await pool.close();
  await new Promise((resolve) => server.close(resolve));
  await sdk.close();
});

async function call(observer = openTelemetry(), useAround = true): Promise<void> {
  const upstream = testUpstream({ service: "orders" });
  const request = testRequest({ service: "orders" });
  const attempt = observer.onAttempt?.(request, upstream, observer.onCall?.(request));
  const send = () => pool.request({ path: "/", method: "GET", headers: { ...attempt?.headers } });
  const { statusCode, body } = await (useAround && attempt?.around ? attempt.around(send) : send());
  await body.text();
  attempt?.onEnd?.(attemptEnd({ record: { status: statusCode } }));
}

test("beside the undici instrumentation a request carries one traceparent, ours, and has one span", async () => {
  instrumentation = new UndiciInstrumentation();
  await call();
  expect(sdk.spans.map((span) => span.instrumentationScope.name)).toEqual(["inmesh"]);
  const { traceId, spanId } = sdk.spans[0]?.spanContext() ?? {};
  expect(received).toEqual([[`00-${traceId}-${spanId}-01`]]);
});

test("so do requests that wait for a connection inside undici", async () => {
  instrumentation = new UndiciInstrumentation();
  const observer = openTelemetry();
  await Promise.all(Array.from({ length: 20 }, () => call(observer)));
  expect(received.map((headers) => headers.length)).toEqual(Array(20).fill(1));
  const own = sdk.spans.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`);
  expect(received.flat().sort()).toEqual(own.sort());
});

test("without around there would be two: what around is for", async () => {
  instrumentation = new UndiciInstrumentation();
  await call(openTelemetry(), false);
  expect(received[0]).toHaveLength(2);
});

test("with traces: false the instrumentation traces and propagates", async () => {
  instrumentation = new UndiciInstrumentation();
  await call(openTelemetry({ traces: false }));
  expect(received[0]).toHaveLength(1);
  expect(sdk.spans.map((span) => span.instrumentationScope.name)).toEqual(["@opentelemetry/instrumentation-undici"]);
});

test("isMeshRequest() as ignoreRequestHook keeps the mesh's requests out of the instrumentation, and only those", async () => {
  const asked: boolean[] = [];
  instrumentation = new UndiciInstrumentation({
    ignoreRequestHook: () => {
      asked.push(isMeshRequest());
      return isMeshRequest();
    },
  });
  await call();
  const own = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await (await own.request({ path: "/", method: "GET" })).body.text();
  await own.close();
  expect(asked).toEqual([true, false]);
  expect(received.map((headers) => headers.length)).toEqual([1, 1]);
});
