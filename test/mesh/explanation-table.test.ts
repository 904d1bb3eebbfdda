import { describe, expect, it } from "vitest";
import type { EndpointExplanation } from "../../src/mesh/explanation.ts";
import { explanationTable } from "../../src/mesh/explanation-table.ts";

const nowMs = 1_000_000;
const good: EndpointExplanation = {
  endpoint: { id: "one", host: "10.0.0.1", port: 80, zone: "a", weight: 2 },
  address: "10.0.0.1:80",
  state: "available",
  avoided: undefined,
  candidate: true,
  reason: "in rotation",
  share: 1,
  shareGot: 0.5,
  shareMeant: 1,
  slowStartRatio: undefined,
  ejection: undefined,
  ejections: 0,
  healthCheck: undefined,
  warning: undefined,
  inFlight: 3,
  attempts: 120,
  failures: 0,
  failureRatio: 0,
  latencyMs: 4.25,
  connection: { encrypted: false, newest: undefined },
  picker: { cost: 12.3456, state: "known" },
};
const registry = { source: "consul", state: "ok", failingMs: undefined, error: undefined } as const;
const service = {
  service: "orders",
  discovery: "consul",
  ageMs: 1_500,
  discoveryError: undefined,
  registry,
  leftOut: [],
  breaker: "closed",
  identity: undefined,
  peer: { mode: "permissive", ids: undefined },
  outside: [],
  subsets: [],
  canaries: [],
} as const;

describe("explanationTable", () => {
  it("has what holds for the service, and a line for each endpoint", () => {
    const healthCheck = { passed: false, atMs: nowMs - 2_000, durationMs: 5, inRow: 3, error: "status 503" };
    const bad = {
      ...good,
      endpoint: { id: "three-and-a-half", host: "10.0.0.3", port: 80 },
      candidate: false,
      share: undefined,
      shareGot: undefined,
      shareMeant: undefined,
      failures: 48,
      failureRatio: 0.4,
      reason: "out for 3.0 s: health check",
      picker: undefined,
      healthCheck,
      warning: "odd",
    };
    const failing = {
      discoveryError: "ECONNREFUSED",
      registry: { ...registry, state: "failing", failingMs: 2_000, error: "ECONNREFUSED" },
      leftOut: [{ reason: "in maintenance", count: 2 }],
    } as const;
    expect(
      explanationTable({ ...service, ...failing, endpoints: [{ ...good, avoided: "fails 40 %, next try in 6 s" }, bad] }, nowMs).split(
        "\n",
      ),
    ).toEqual([
      "orders: 1 of 2 endpoints are candidates, breaker of the service closed",
      "registry failing for 2.0 s: consul answered 1.5 s ago; now: ECONNREFUSED",
      "left out: 2 × in maintenance",
      "",
      "endpoint          address      zone  prio  weight  meant  got   in flight  attempts  failed     latency  picker                  why",
      "one               10.0.0.1:80  a     0     2       100 %  50 %  3          120       0          4.3 ms   cost 12.3, state known  in rotation; avoided: fails 40 %, next try in 6 s",
      "three-and-a-half  10.0.0.1:80  -     0     1       -      -     3          120       48 (40 %)  4.3 ms   -                       out for 3.0 s: health check; health check failed 2.0 s ago: status 503; odd",
    ]);
  });

  it("is short for a service without endpoints", () => {
    expect(explanationTable({ ...service, ageMs: undefined, registry: { ...registry, state: "waiting" }, endpoints: [] }, nowMs)).toBe(
      "orders: 0 of 0 endpoints are candidates, breaker of the service closed\nregistry waited for: consul has not answered yet",
    );
  });

  it("has lines for endpoints outside of the boundary, without numbers", () => {
    const endpoint = { id: "far", host: "10.0.0.9", port: 80, zone: "us-1a" };
    const outside = [{ endpoint, address: "10.0.0.9:80", region: "us-1", reason: 'outside of the boundary: in region "us-1"' }];
    expect(
      explanationTable({ ...service, endpoints: [], outside }, nowMs)
        .split("\n")
        .slice(2),
    ).toEqual([
      "",
      "endpoint  address      zone   prio  weight  meant  got  in flight  attempts  failed  latency  picker  why",
      'far       10.0.0.9:80  us-1a  0     1       -      -    -          -         -       -        -       outside of the boundary: in region "us-1"',
    ]);
  });

  it("says by which identity this process calls, what it expects, and what each instance has shown", () => {
    const identity = {
      source: "workload-api",
      state: "ready",
      id: "spiffe://td/web",
      expiresAtMs: nowMs + 5_400_000,
      lifetimeMs: 7_200_000,
    } as const;
    const newest = {
      tls: "TLSv1.3",
      protocol: "h2",
      identity: "spiffe://td/orders",
      expiresAtMs: nowMs + 86_400_000,
      atMs: nowMs,
    } as const;
    const endpoints = [
      { ...good, connection: { encrypted: true, newest } },
      { ...good, connection: { encrypted: true, newest: undefined } },
      good,
    ];
    const peer = { mode: "strict", ids: ["spiffe://td/orders", "spiffe://td/orders2"] } as const;
    const lines = explanationTable({ ...service, identity: { ...identity, failure: undefined }, peer, endpoints }, nowMs).split("\n");
    expect(lines[2]).toBe(
      "identity spiffe://td/web by workload-api: ready, 90 min left; peers strict: spiffe://td/orders or spiffe://td/orders2",
    );
    expect(lines[4]).toMatch(/connection +why$/);
    expect(lines[5]).toMatch(/TLSv1\.3 h2 spiffe:\/\/td\/orders, 24 h left +in rotation$/);
    expect(lines[6]).toMatch(/TLS +in rotation$/);
    expect(lines[7]).toMatch(/clear text +in rotation$/);
    const listed = { ...good, endpoint: { ...good.endpoint, peer: { id: "spiffe://td/*/orders" } } };
    expect(explanationTable({ ...service, identity: { ...identity, failure: undefined }, endpoints: [listed, listed] }, nowMs)).toContain(
      "peers permissive: spiffe://td/*/orders\n",
    );
    const expired = { ...identity, state: "expired", failure: "the agent does not answer" } as const;
    expect(explanationTable({ ...service, identity: expired, endpoints: [] }, nowMs)).toContain(
      "identity spiffe://td/web by workload-api: expired; now: the agent does not answer; peers permissive",
    );
  });

  it("shows a terminal nothing that it would obey", () => {
    const endpoint = { id: "\u001b[2Jx\r\n\u202eevil", host: "h", port: 1, zone: "\u009b31m" };
    const text = explanationTable({ ...service, endpoints: [{ ...good, endpoint }] }, nowMs);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.split("\n")).toHaveLength(5);
  });
});
