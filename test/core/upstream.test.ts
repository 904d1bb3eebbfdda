import { describe, expect, it } from "vitest";
import { addressOf } from "../../src/core/endpoint.ts";
import { testUpstream } from "../../src/testing/request.ts";

describe("Upstream", () => {
  it("writes IPv6 addresses in brackets, and https where the instance speaks TLS", () => {
    expect(testUpstream({ host: "::1", port: 80 }).origin).toBe("http://[::1]:80");
    expect(testUpstream({ host: "db_1", port: 443, secure: true }).origin).toBe("https://db_1:443");
    expect(addressOf({ host: "10.0.0.1", port: 8080 })).toBe("10.0.0.1:8080");
  });

  it("has weight 1 unless discovery says otherwise, 0 included", () => {
    expect([testUpstream().weight, testUpstream({ weight: 0 }).weight, testUpstream({ weight: 7 }).weight]).toEqual([1, 0, 7]);
  });

  it("tells of a change of its state, and of nothing else", () => {
    const upstream = testUpstream();
    const seen: string[] = [];
    upstream.onStateChange = ({ state }) => seen.push(state);
    for (const state of ["available", "ejected", "ejected", "unhealthy", "probing", "available"] as const) upstream.setState(state);
    expect(seen).toEqual(["ejected", "unhealthy", "probing", "available"]);
    expect([upstream.state, upstream.wantsProbe]).toEqual(["available", false]);
  });

  it("wants a probe while it is probing and none is under way, and tells of that too", () => {
    const upstream = testUpstream();
    const seen: boolean[] = [];
    upstream.onStateChange = ({ wantsProbe }) => seen.push(wantsProbe);
    upstream.setState("probing");
    upstream.setState("probing", false);
    upstream.setState("probing", false);
    upstream.setState("probing", true);
    expect([seen, upstream.state]).toEqual([[true, false, true], "probing"]);
  });

  it("calls no listener once it is removed", () => {
    const upstream = testUpstream();
    let calls = 0;
    upstream.onStateChange = () => calls++;
    upstream.markRemoved();
    upstream.setState("ejected");
    expect([calls, upstream.removed, upstream.state]).toEqual([0, true, "ejected"]);
  });
});
