import { describe, expect, it } from "vitest";
import { ServiceTally } from "../../src/admin/service-tally.ts";
import type { AttemptEnd } from "../../src/core/observing/observer.ts";
import { Upstream } from "../../src/core/upstream.ts";
import { virtualClock } from "../../src/testing/index.ts";

const ended = (end: Partial<AttemptEnd> = {}, status = 200): AttemptEnd => ({
  record: { endpoint: "a", address: "a:1", phase: "body", status, ms: 1, maybeExecuted: true },
  error: undefined,
  cancelled: false,
  totalMs: 1,
  ...end,
});

function setUp() {
  const clock = virtualClock();
  const service = new ServiceTally(clock);
  const upstream = new Upstream("orders", { id: "a", host: "a", port: 1 });
  return { clock, service, upstream, tally: service.endpoint(upstream) };
}

describe("the tally of an endpoint", () => {
  it("comes to the rate of the attempts, soon and in the long run", async () => {
    const { clock, tally } = setUp();
    for (let tick = 1; tick <= 1_200; tick++) {
      await clock.advance(50);
      tally.onEnd(ended());
      // Twenty a second.
      if (tick === 60) expect(tally.rps).toBeCloseTo(20, -1);
    }
    expect(tally.rps).toBeGreaterThan(19);
    expect(tally.rps).toBeLessThan(21);
    await clock.advance(60_000);
    expect(tally.rps).toBeLessThan(0.1);
  });

  it("counts errors and server errors as failures, and what was given up not at all", () => {
    const { service, tally } = setUp();
    expect(tally.success).toBeNull();
    tally.onEnd(ended());
    tally.onEnd(ended({}, 404));
    tally.onEnd(ended({}, 500));
    tally.onEnd(ended({ error: new Error("cut off") }));
    tally.onEnd(ended({ error: new Error("given up"), cancelled: true }));
    expect(tally.success).toBeCloseTo(0.5);
    expect(service.seconds.sum(1, 60).sums).toMatchObject({ attempts: 4, attemptFailures: 2 });
  });

  it("forgets how it went, so that an instance that has recovered looks well again", async () => {
    const { clock, tally } = setUp();
    tally.onEnd(ended({}, 503));
    expect(tally.success).toBe(0);
    await clock.advance(60_000);
    for (let call = 0; call < 20; call++) tally.onEnd(ended());
    expect(tally.success).toBeGreaterThan(0.99);
    await clock.advance(600_000);
    expect(tally.success).toBeNull();
  });
});

describe("the tallies of a service", () => {
  it("are found by id, and forgotten with the endpoint", () => {
    const { service, tally, upstream } = setUp();
    expect(service.endpointOf("a")).toBe(tally);
    expect(service.endpointOf("b")).toBeUndefined();
    service.list([upstream.endpoint]);
    expect(service.endpointOf("a")).toBe(tally);
    service.list([]);
    expect(service.endpointOf("a")).toBeUndefined();
  });

  it("are those of the instance that has the id now", () => {
    const { service, tally } = setUp();
    const moved = service.endpoint(new Upstream("orders", { id: "a", host: "b", port: 2 }));
    expect(moved).not.toBe(tally);
    expect(service.endpointOf("a")).toBe(moved);
  });

  it("know how many endpoints are called over TLS", () => {
    const { service } = setUp();
    const endpoint = (id: string, secure?: boolean) => ({ id, host: id, port: 1, ...(secure !== undefined && { secure }) });
    expect({ isListed: service.isListed, secured: service.secured }).toEqual({ isListed: false, secured: "none" });
    service.list([endpoint("a", true), endpoint("b", true)]);
    expect({ isListed: service.isListed, secured: service.secured }).toEqual({ isListed: true, secured: "all" });
    service.list([endpoint("a", true), endpoint("b", false)]);
    expect(service.secured).toBe("some");
    service.list([endpoint("a")]);
    expect(service.secured).toBe("none");
  });
});
