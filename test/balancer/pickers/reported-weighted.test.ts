import { describe, expect, it } from "vitest";
import type { MeshResponse } from "../../../src/core/dispatch.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { type ReportingPicker, type WeightedOptions, weighted } from "../../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";
import { manualClock } from "../scenario.ts";

interface Load {
  readonly qps?: number;
  readonly eps?: number;
  readonly app?: number;
  readonly cpu?: number;
}

function textOf({ qps = 0, eps = 0, app = 0, cpu = 0 }: Load): string {
  return `TEXT rps_fractional=${qps},eps=${eps},application_utilization=${app},cpu_utilization=${cpu}`;
}

function answer(headers: readonly string[], trailers: readonly string[] = []): MeshResponse {
  const { status, statusText, body, upstream } = localResponse(200);
  const withTrailers = new Proxy(body, { get: (target, key) => (key === "trailers" ? trailers : Reflect.get(target, key)) });
  return { status, statusText, headers, body: withTrailers, upstream };
}

function started(count: number, options: WeightedOptions = {}, weights: readonly number[] = []) {
  const clock = manualClock();
  const picker = weighted({ blackoutMs: 0, errorUtilizationPenalty: 0, clock, random: seededRandom(1), ...options, ...by });
  const upstreams = Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.0.${index + 1}`, weight: weights[index] ?? 1 }));
  picker.update?.(upstreams);
  const report = (index: number, load: Load | string) => {
    const value = typeof load === "string" ? load : textOf(load);
    const learner = picker.onAttempt?.(upstreams[index] as Upstream, testRequest());
    learner?.onHead(answer(["endpoint-load-metrics", value]));
    learner?.onEnd(undefined);
  };
  /** Shares of the picks after the weights have been computed again. */
  const shares = (picks = 1_100) => {
    clock.time += 1_000;
    return sharesOf(picker, upstreams, picks);
  };
  return { clock, picker, upstreams, report, shares };
}

const by = { by: "reported" } as const;

function sharesOf(picker: ReportingPicker, upstreams: readonly Upstream[], picks: number): number[] {
  const counts = new Map<Upstream | undefined, number>();
  for (let call = 0; call < picks; call++) {
    const picked = picker.pick(upstreams, testRequest());
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return upstreams.map((upstream) => (counts.get(upstream) ?? 0) / picks);
}

function expectShares(found: readonly number[], weights: readonly number[]): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // The tolerance of gRPC's tests: 2 of 100.
  for (const [index, weight] of weights.entries()) expect(Math.abs((found[index] ?? 0) - weight / total)).toBeLessThan(0.02);
}

describe("weighted by reports", () => {
  for (const test of pickerContract((options) => weighted({ by: "reported", ...options }))) it(test.name, test.run);

  // grpc-go's balancer_test.go
  it.each<[string, readonly [Load, Load], number, readonly [number, number]]>([
    [
      "utilization",
      [
        { qps: 10, app: 1 },
        { qps: 10, app: 0.1 },
      ],
      0,
      [1, 10],
    ],
    [
      "CPU utilization where there is none of the application",
      [
        { qps: 10, cpu: 1 },
        { qps: 10, cpu: 0.1 },
      ],
      0,
      [1, 10],
    ],
    [
      "the application's before the CPU's",
      [
        { qps: 10, app: 1, cpu: 2 },
        { qps: 10, app: 0.1, cpu: 2 },
      ],
      0,
      [1, 10],
    ],
    [
      "errors",
      [
        { qps: 10, app: 1 },
        { qps: 10, eps: 10, app: 0.1 },
      ],
      0.9,
      [1, 1],
    ],
  ])("weighs %s", (_what, loads, errorUtilizationPenalty, weights) => {
    const { report, shares } = started(2, { errorUtilizationPenalty });
    for (const [index, load] of loads.entries()) report(index, load);
    expectShares(shares(), weights);
  });

  it("follows reports that change", () => {
    const { report, shares } = started(2);
    report(0, { qps: 10, app: 1 });
    report(1, { qps: 10, app: 0.1 });
    expectShares(shares(), [1, 10]);
    report(0, { qps: 10, app: 0.1 });
    report(1, { qps: 10, app: 1 });
    expectShares(shares(), [10, 1]);
  });

  it("gives 1 : 10 : 2 : 20 to weights of 10, 100, 20 and 200", () => {
    const { report, shares } = started(4);
    for (const [index, app] of [1, 0.1, 0.5, 0.05].entries()) report(index, { qps: 10, app });
    expectShares(shares(3_300), [1, 10, 2, 20]);
  });

  it("gives an instance in blackout the average of the others", () => {
    const { report, shares, clock, picker, upstreams } = started(4, { blackoutMs: 10_000 });
    for (let second = 0; second < 12; second++) {
      for (const index of [0, 1, 2]) report(index, { qps: 100, app: 0.2 });
      if (second > 5) report(3, { qps: 100, app: 0.01 });
      clock.time += 1_000;
    }
    expect(picker.explain?.(upstreams[3] as Upstream)).toMatchObject({ report: "blackout" });
    expectShares(shares(4_000), [1, 1, 1, 1]);
  });

  it("uses a weight from the end of its blackout on", () => {
    const { report, shares, clock } = started(2, { blackoutMs: 10_000 });
    report(0, { qps: 10, app: 1 });
    report(1, { qps: 10, app: 0.1 });
    clock.time += 8_999;
    expectShares(shares(), [1, 1]);
    expectShares(shares(), [1, 10]);
  });

  it("drops an expired weight, and waits for another blackout before it uses the next", () => {
    const { report, shares, clock, picker, upstreams } = started(2, { blackoutMs: 10_000, expirationMs: 60_000 });
    for (let second = 0; second < 11; second++) {
      for (const [index, app] of [1, 0.1].entries()) report(index, { qps: 10, app });
      clock.time += 1_000;
    }
    expectShares(shares(), [1, 10]);
    clock.time += 60_000;
    expect(picker.explain?.(upstreams[0] as Upstream)).toEqual({ report: "expired", malformedReports: 0 });
    expectShares(shares(), [1, 1]);
    for (const [index, app] of [1, 0.1].entries()) report(index, { qps: 10, app });
    expect(picker.explain?.(upstreams[0] as Upstream)).toMatchObject({ report: "blackout" });
    expectShares(shares(), [1, 1]);
    clock.time += 9_000;
    expectShares(shares(), [1, 10]);
  });

  it("uses the static weights while fewer than two instances have reported", () => {
    const { report, picker, upstreams, shares } = started(3);
    expect(new Set(Array.from({ length: 3 }, () => picker.pick(upstreams, testRequest()))).size).toBe(3);
    report(1, { qps: 1_000, app: 0.1 });
    expectShares(shares(), [1, 1, 1]);
    const differing = started(3, {}, [1, 2, 3]);
    expectShares(differing.shares(), [1, 2, 3]);
  });

  it("does not multiply a reported weight by the static one", () => {
    const { report, shares } = started(2, {}, [1, 5]);
    for (const index of [0, 1]) report(index, { qps: index === 0 ? 100 : 500, app: 0.5 });
    expectShares(shares(), [1, 5]);
  });

  it("computes the weights at the first pick after updateMs and not before", () => {
    const { report, picker, upstreams, clock } = started(2, { updateMs: 500 });
    picker.pick(upstreams, testRequest());
    report(0, { qps: 10, app: 1 });
    report(1, { qps: 10, app: 0.1 });
    clock.time += 499;
    expectShares(sharesOf(picker, upstreams, 1_000), [1, 1]);
    clock.time += 1;
    expectShares(sharesOf(picker, upstreams, 1_100), [1, 10]);
  });

  it("keeps reports across updates", () => {
    const { report, picker, upstreams } = started(4);
    for (const [index, app] of [1, 0.1, 1, 1].entries()) report(index, { qps: 10, app });
    const list = upstreams.slice(0, 2);
    picker.update?.(list);
    expectShares(sharesOf(picker, list, 1_100), [1, 10]);
  });

  it("reads a report in the trailers too", () => {
    const { picker, upstreams, shares } = started(2);
    for (const [index, app] of [1, 0.1].entries()) {
      const learner = picker.onAttempt?.(upstreams[index] as Upstream, testRequest());
      learner?.onHead(answer([], ["endpoint-load-metrics", textOf({ qps: 10, app })]));
      learner?.onEnd(undefined);
    }
    expectShares(shares(), [1, 10]);
  });

  it("counts malformed reports and ignores them", () => {
    const clock = manualClock();
    const mesh = weighted({ by: "reported", blackoutMs: 0 });
    const picker = mesh.forService?.("orders", { clock, random: seededRandom(1) }) as ReportingPicker;
    const upstreams = [1, 2, 3].map((port) => testUpstream({ port }));
    picker.update?.(upstreams);
    const bad = [
      "TEXT rps_fractional=-5,cpu_utilization=0.1",
      "TEXT rps_fractional=NaN,cpu_utilization=0.1",
      "TEXT rps_fractional=1e308,cpu_utilization=0.1",
      "JSON {",
      "garbage",
      `TEXT cpu_utilization=0.${"1".repeat(1_000_000)}`,
    ];
    for (const value of bad) {
      const learner = picker.onAttempt?.(upstreams[0] as Upstream, testRequest());
      learner?.onHead(answer(["endpoint-load-metrics", value]));
      learner?.onEnd(undefined);
    }
    expect(picker.explain?.(upstreams[0] as Upstream)).toEqual({ report: "none", malformedReports: bad.length });
    expect([picker.malformedReports, mesh.malformedReports]).toEqual([bad.length, bad.length]);
    for (let call = 0; call < 10; call++) expect(upstreams).toContain(picker.pick(upstreams, testRequest()));
  });

  it("ignores reports without load, and takes the highest values", () => {
    const { report, picker, upstreams, shares } = started(3);
    report(0, { qps: 0, app: 0.5 });
    report(0, { qps: 10 });
    expect(picker.explain?.(upstreams[0] as Upstream)).toMatchObject({ report: "none" });
    report(0, "TEXT rps_fractional=1e12,cpu_utilization=1e-300");
    report(1, "TEXT rps_fractional=1e-300,cpu_utilization=1e12");
    report(2, "TEXT rps_fractional=1e-300,eps=1e12,cpu_utilization=1e-300");
    const found = shares();
    expect(found.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
    expect(found[0]).toBeGreaterThan(0.3);
  });

  it("picks a member of the list with any clock", () => {
    const { report, picker, upstreams, clock } = started(2);
    for (const time of [Number.NaN, -1e9, Number.POSITIVE_INFINITY, 0, 1e15, 5]) {
      clock.time = time;
      for (const index of [0, 1]) report(index, { qps: 10, app: 0.1 + index });
      for (let call = 0; call < 5; call++) expect(upstreams).toContain(picker.pick(upstreams, testRequest()));
      picker.explain?.(upstreams[0] as Upstream);
    }
  });

  it.each([
    [{ by: "load" }, 'weighted: by must be one of "static", "reported", not "load"'],
    [{ by: "reported", updateMs: 99 }, "weighted: updateMs must be at least 100, not 99"],
    [{ blackoutMs: -1 }, "weighted: blackoutMs must be at least 0, not -1"],
    [{ expirationMs: "3m" }, 'weighted: expirationMs must be a number, not "3m"'],
    [{ errorUtilizationPenalty: -0.1 }, "weighted: errorUtilizationPenalty must be from 0 to"],
    [{ random: 4 }, "weighted: random must be a function, not 4"],
    [{ weights: [1] }, 'weighted has no option "weights"'],
  ])("refuses %j", (options, message) => {
    expect(() => weighted(options as object)).toThrow(message);
  });
});
