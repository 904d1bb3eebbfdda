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

  it("tells of a change of availability, and of nothing else", () => {
    const upstream = testUpstream();
    const seen: string[] = [];
    upstream.onAvailability = ({ availability }) => seen.push(availability);
    for (const availability of ["in", "out", "out", "probe", "in"] as const) upstream.setAvailability(availability);
    expect(seen).toEqual(["out", "probe", "in"]);
    expect(upstream.available).toBe(true);
  });

  it("tells nobody once it is removed", () => {
    const upstream = testUpstream();
    let calls = 0;
    upstream.onAvailability = () => calls++;
    upstream.markRemoved();
    upstream.setAvailability("out");
    expect([calls, upstream.removed, upstream.available]).toEqual([0, true, false]);
  });
});
