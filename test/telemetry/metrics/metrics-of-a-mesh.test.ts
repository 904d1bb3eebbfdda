import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";
import { createMesh } from "../../../src/mesh/mesh.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { closing, meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { closedPort, serve } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { MetricsSdk } from "../support.ts";

let sdk: MetricsSdk;
beforeEach(() => {
  sdk = new MetricsSdk();
});
afterEach(() => sdk.close());

/** The sum of a metric's points, of a histogram that of its counts. */
async function total(name: string): Promise<number> {
  const points = await sdk.points(name);
  const isHistogram = /duration|attempts/.test(name);
  return points.reduce((sum, { value, count }) => sum + (isHistogram ? count : value), 0);
}

/** The value of each point, by one of its attributes. */
async function by(attribute: string, name: string): Promise<Record<string, number>> {
  return Object.fromEntries((await sdk.points(name)).map((point) => [String(point.attributes[attribute]), point.value]));
}

describe("the metrics of a mesh", () => {
  it("count a call that its deadline ended, before the response or within its body, and not one that an attempt's limit ended", async () => {
    const silent = await serve(() => {});
    const endless = await serve((_request, response) => void response.write("o"));
    const mesh = meshOf({ silent: silent.port, endless: endless.port }, { timeoutMs: 250, attemptTimeoutMs: false, retry: false });
    await rejectionOf(mesh.fetch("silent/"));
    expect(await total("inmesh.client.deadline.exceeded")).toBe(1);
    await rejectionOf((await mesh.fetch("endless/")).text());
    expect(await by("server.service.name", "inmesh.client.deadline.exceeded")).toEqual({ silent: 1, endless: 1 });
    await rejectionOf(mesh.fetch("silent/", { mesh: { timeoutMs: 5_000, attemptTimeoutMs: 20 } }));
    await rejectionOf(mesh.fetch("silent/", { signal: AbortSignal.timeout(10), mesh: { timeoutMs: 5_000 } }));
    expect(await total("inmesh.client.deadline.exceeded")).toBe(2);
    expect(await total("inmesh.client.call.duration")).toBe(4);
  });

  it("agree with what the instances have seen: calls, attempts, retries, failures, picks by zone", async () => {
    const answers = [200, 503, 200, 503, 503, 200, 200, 200];
    let asked = 0;
    const servers = await Promise.all(
      ["a", "b", undefined].map(() =>
        serve((_request, response) => void response.writeHead(answers[asked++ % answers.length] as number).end()),
      ),
    );
    const endpoints = servers.map(({ port }, index) => ({ host: "127.0.0.1", port, ...(index < 2 && { zone: index === 0 ? "a" : "b" }) }));
    const discovery = staticDiscovery({ users: endpoints });
    const mesh = closing(
      createMesh({ discovery, zone: "a", balancing: { zoneAware: false }, picker: roundRobin(), breaker: false, drainTimeoutMs: 0 }),
    );
    for (let call = 0; call < 60; call++) await (await mesh.fetch("users/")).text();
    const seen = servers.map((server) => server.seen.length);
    const attempts = seen.reduce((sum, each) => sum + each, 0);
    expect(attempts).toBeGreaterThan(70);
    expect(await total("inmesh.client.call.duration")).toBe(60);
    expect(await total("http.client.request.duration")).toBe(attempts);
    expect((await sdk.points("inmesh.client.attempts")).map(({ value, count }) => [value, count])).toEqual([[attempts, 60]]);
    expect(await total("inmesh.client.retries")).toBe(attempts - 60);
    expect(await by("inmesh.zone", "inmesh.client.picks")).toEqual({ local: seen[0], other: seen[1], unknown: seen[2] });
  });

  it("show hedges, calls in flight, the limit, the budget and the endpoints as they are", async () => {
    const held: (() => void)[] = [];
    let isHeld = false;
    const answer = () =>
      serve((_request, response) => {
        const end = () => void response.end("ok");
        if (isHeld) held.push(end);
        else end();
      });
    // The wait before a hedge is looked up anew every three seconds.
    let aheadMs = 0;
    const clock: Clock = {
      now: () => systemClock.now() + aheadMs,
      wallNow: () => systemClock.wallNow(),
      setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs),
      clearTimer: (timer) => systemClock.clearTimer(timer),
    };
    const mesh = meshOf(
      { users: [(await answer()).port, (await answer()).port] },
      { concurrency: { maxInFlight: 20 }, hedge: { percentile: 0, maxExtraLoad: 1 }, attemptTimeoutMs: false, clock },
    );
    for (let call = 0; call < 60; call++) await (await mesh.fetch("users/")).text();
    aheadMs = 3_000;
    const before = await total("inmesh.client.hedges");
    isHeld = true;
    const call = mesh.fetch("users/").then((response) => response.text());
    await until("the hedge has arrived", () => held.length === 2);
    expect(await total("inmesh.client.active_calls")).toBe(1);
    expect(await total("inmesh.concurrency.limit")).toBe(20);
    expect(await total("inmesh.concurrency.in_flight")).toBeGreaterThanOrEqual(1);
    expect(await total("inmesh.concurrency.queued")).toBe(0);
    expect(await total("inmesh.retry.budget")).toBeGreaterThan(0);
    expect(await by("inmesh.endpoint.state", "inmesh.endpoints")).toEqual({ available: 2, ejected: 0, probing: 0, unhealthy: 0 });
    held[1]?.();
    await call;
    expect(await total("inmesh.client.hedges")).toBe(before + 1);
    expect(await total("inmesh.client.hedges.won")).toBeGreaterThan(0);
    expect(await total("inmesh.client.active_calls")).toBe(0);
  });

  it("show an instance that was taken out, by which rule, and that its service has a breaker", async () => {
    const good = await serve();
    const mesh = meshOf({ users: [good.port, await closedPort()] });
    for (let call = 0; call < 20; call++) await (await mesh.fetch("users/")).text();
    expect(await by("inmesh.ejection.rule", "inmesh.ejections")).toEqual({ "connection refused": 1 });
    expect(await by("inmesh.endpoint.state", "inmesh.endpoints")).toEqual({ available: 1, ejected: 1, probing: 0, unhealthy: 0 });
    expect(await by("inmesh.breaker.state", "inmesh.breaker.state")).toEqual({ closed: 1, open: 0, "half-open": 0 });
  });

  it("are there for an observer that joins later, with the names of the services, and end when it leaves", async () => {
    const server = await serve();
    const mesh = meshOf({ users: server.port }, { observers: [] });
    await (await mesh.fetch("users/")).text();
    const leave = mesh.observe(openTelemetry());
    expect(await by("server.service.name", "inmesh.client.active_calls")).toEqual({ users: 0 });
    await (await mesh.fetch("users/")).text();
    expect(await by("server.service.name", "inmesh.client.picks")).toEqual({ users: 1 });
    expect(await total("http.client.request.duration")).toBe(1);
    await (await mesh.fetch("users/")).text();
    leave();
    await (await mesh.fetch("users/")).text();
    expect(await by("server.service.name", "inmesh.client.picks")).toEqual({ users: 2 });
    expect(await total("http.client.request.duration")).toBe(2);
  });

  it("show the certificate's end from the moment the mesh is made", async () => {
    const { certificate } = await import("../../support/certificate.ts");
    meshOf({ users: 9 }, { tls: certificate });
    expect(await total("inmesh.tls.certificate.expiry")).toBe(Date.parse("2126-10-29T16:33:52.000Z") / 1_000);
  });

  it("may be collected while the mesh closes, and after", async () => {
    const server = await serve();
    const mesh = meshOf({ users: server.port }, { drainTimeoutMs: 1_000 });
    await (await mesh.fetch("users/")).text();
    const closed = mesh.close();
    expect(await total("inmesh.client.picks")).toBe(1);
    await closed;
    expect(await total("inmesh.client.picks")).toBe(1);
    expect(await total("http.client.request.duration")).toBe(1);
  });
});
