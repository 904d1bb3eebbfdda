import { describe, expect, it } from "vitest";
import { definitionOf } from "../../../src/registries/consul/definition.ts";

describe("the definition of an instance", () => {
  const minute = 60_000;
  const base = { service: "orders", port: 8081, host: "10.0.0.1" };

  it("says everything the instance says", () => {
    const instance = { ...base, id: "o1", secure: true, weight: 7, zone: "a", tags: ["v2"], metadata: { version: "2" } };
    expect(definitionOf(instance, 10 * minute)).toMatchObject({
      id: "o1",
      checkId: "service:o1",
      renewMs: 5_000,
      service: {
        name: "orders",
        id: "o1",
        address: "10.0.0.1",
        port: 8081,
        tags: ["v2"],
        meta: { version: "2", zone: "a", secure: "true" },
      },
      serviceCheck: { ttl: "15000ms", deregistercriticalserviceafter: "600000ms" },
      weight: 7,
    });
  });

  it("is part of a Connect mesh by itself only where it speaks TLS and the adapter is in such a mesh", () => {
    const serviceOf = (secure: boolean | undefined, isConnect: boolean) =>
      definitionOf({ ...base, ...(secure === undefined ? {} : { secure }) }, minute, isConnect).service;
    expect(serviceOf(true, true)).toMatchObject({ connect: { native: true } });
    for (const service of [serviceOf(true, false), serviceOf(false, true), serviceOf(undefined, true)])
      expect(service).not.toHaveProperty("connect");
  });

  it("has an id made of service, host and port when there is none", () => {
    expect(definitionOf(base, minute).id).toBe("orders-10.0.0.1-8081");
    expect(definitionOf({ service: "orders", port: 8081 }, minute).id).toMatch(/^orders-.+-8081$/);
  });

  it("has the check asked for, with IPv6 addresses in brackets", () => {
    const checkOf = (check: Parameters<typeof definitionOf>[0]["check"], host = "::1") =>
      definitionOf({ ...base, host, ...(check === undefined ? {} : { check }) }, minute).serviceCheck;
    expect(checkOf({ type: "tcp" })).toMatchObject({ tcp: "[::1]:8081", interval: "10000ms", timeout: "3000ms" });
    expect(checkOf({ type: "http", path: "/healthz", secure: true, intervalMs: 1_000, timeoutMs: 200 })).toMatchObject({
      http: "https://[::1]:8081/healthz",
      interval: "1000ms",
      timeout: "200ms",
    });
    expect(checkOf({ type: "grpc", service: "Orders" }, "h")).toMatchObject({ grpc: "h:8081/Orders", grpcusetls: false });
  });

  it("refuses what makes no sense, naming it and its value", () => {
    const wrong: [object, RegExp][] = [
      [{ port: 0 }, /port .*got 0/],
      [{ port: "80" }, /port .*got '80'/],
      [{ weight: 0 }, /weight .*got 0/],
      [{ service: "" }, /service .*got ''/],
      [{ host: "[::1]" }, /host .*got '\[::1\]'/],
      [{ id: "" }, /id .*got ''/],
      [{ check: { type: "ttl", ttlMs: 5 } }, /check\.ttlMs .*got 5/],
      [{ check: { type: "http", path: "healthz" } }, /check\.path .*got 'healthz'/],
      [{ check: { type: "ping" } }, /check\.type .*got 'ping'/],
      [{ check: { type: "tcp", intervalMs: Number.NaN } }, /check\.intervalMs .*got NaN/],
    ];
    for (const [fields, message] of wrong) expect(() => definitionOf({ ...base, ...fields }, minute)).toThrow(message);
  });
});
