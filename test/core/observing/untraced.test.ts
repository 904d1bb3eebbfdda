import type * as Http from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { context } from "@opentelemetry/api";
import { isTracingSuppressed } from "@opentelemetry/core";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { untraced } from "../../../src/core/observing/untraced.ts";
import { consul } from "../../../src/registries/consul.ts";
import { eureka } from "../../../src/registries/eureka.ts";
import { answer, scriptedConsul } from "../../registries/consul/scripted-consul.ts";
import { registryOf, scriptedEureka } from "../../registries/eureka/scripted-eureka.ts";
import { TracesSdk } from "../../telemetry/support.ts";

const apiKey = Symbol.for("opentelemetry.js.api.1");
const global = globalThis as { [apiKey]?: unknown };

const instrumentation = new HttpInstrumentation({ disableIncomingRequestInstrumentation: true });
const http = createRequire(import.meta.url)("node:http") as typeof Http;
let sdk: TracesSdk;
beforeAll(() => {
  // Imported functions are the patched ones from here on, as they are with the loader hook of OpenTelemetry.
  syncBuiltinESMExports();
  sdk = new TracesSdk();
  instrumentation.setTracerProvider(sdk.provider);
});
afterAll(async () => {
  instrumentation.disable();
  syncBuiltinESMExports();
  await sdk.close();
});

describe("requests to a registry", () => {
  it("of Consul make no spans: neither queries nor registrations nor renewals", async () => {
    let renewals = 0;
    await using server = await scriptedConsul(({ path }, response) => {
      if (path.includes("/check/pass/")) renewals++;
      answer(response, path.startsWith("/v1/health/") ? [] : {});
    });
    const registry = consul({ url: server.url });
    const watch = registry.watch("web", new AbortController().signal);
    await watch.next();
    const registration = await registry.register({ service: "web", host: "127.0.0.1", port: 80, check: { type: "ttl", ttlMs: 100 } });
    await expect.poll(() => renewals).toBeGreaterThan(0);
    await registration.deregister();
    await registry.close();
    expect(sdk.spans).toEqual([]);
  });

  it("of Eureka make no spans", async () => {
    await using server = await scriptedEureka(({ method, path }) => {
      if (path === "/eureka/apps/") return { body: registryOf() };
      return { status: method === "POST" ? 204 : 200 };
    });
    const registry = eureka({ servers: [server.url], heartbeatMs: 50 });
    await registry.watch("web", new AbortController().signal).next();
    const registration = await registry.register({ service: "web", host: "127.0.0.1", port: 80 });
    await expect.poll(() => server.seen.some(({ method }) => method === "PUT")).toBe(true);
    await registration.deregister();
    registry.close();
    expect(sdk.spans).toEqual([]);
  });

  it("are the only ones: another request of the process has its span", async () => {
    await using server = await scriptedEureka(() => ({}));
    await new Promise((resolve) => http.get(server.url, (response) => response.resume().on("end", resolve)));
    await expect.poll(() => sdk.spans.map(({ name }) => name)).toEqual(["GET"]);
  });
});

describe("untraced", () => {
  it("suppresses tracing inside, and returns and throws what the work does", () => {
    expect(untraced(() => isTracingSuppressed(context.active()))).toBe(true);
    expect(isTracingSuppressed(context.active())).toBe(false);
    expect(() =>
      untraced(() => {
        throw new Error("the work's own");
      }),
    ).toThrow("the work's own");
  });

  it.each([undefined, null, 7, {}, { context: {} }, { context: { active: () => ({}), with: () => 1 } }])(
    "does the work once where %j is in the place of the API",
    (api) => {
      const before = global[apiKey];
      global[apiKey] = api;
      try {
        let count = 0;
        expect(untraced(() => ++count)).toBe(1);
      } finally {
        global[apiKey] = before;
      }
    },
  );
});
