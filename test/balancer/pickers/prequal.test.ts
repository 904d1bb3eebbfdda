import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../../src/core/dispatch.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { createMesh, MeshError, type PrequalOptions, prequal, type ReportingPicker, staticDiscovery } from "../../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream, type VirtualClock, virtualClock } from "../../../src/testing/index.ts";

const reportOf = (rif: number, latencyMs: number) => `TEXT named_metrics.rif=${rif}, named_metrics.latency_ms=${latencyMs}`;

function response(report?: string, status = 200): MeshResponse {
  return { ...localResponse(status), headers: report === undefined ? [] : ["endpoint-load-metrics", report] };
}

interface Setup {
  readonly picker: ReportingPicker;
  readonly clock: VirtualClock;
  readonly upstreams: readonly Upstream[];
  readonly asked: MeshRequest[];
  pick(): Upstream | undefined;
  /** Picks, and waits for the answers to the probes. */
  round(): Promise<Upstream | undefined>;
}

function started(count: number, send: Dispatch | undefined, options: PrequalOptions = {}): Setup {
  const clock = virtualClock();
  const asked: MeshRequest[] = [];
  const upstreams = Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.0.${index + 1}` }));
  const context = {
    clock,
    random: seededRandom(1),
    ...(send !== undefined && {
      send: (request: MeshRequest) => {
        asked.push(request);
        return send(request);
      },
    }),
  };
  const picker = prequal(options).forService?.("orders", context) as ReportingPicker;
  picker.update?.(upstreams);
  const pick = () => picker.pick(upstreams, testRequest());
  const round = async () => {
    const picked = pick();
    await clock.advance(1);
    return picked;
  };
  return { picker, clock, upstreams, asked, pick, round };
}

const indexOf = (request: MeshRequest) => Number(request.upstream?.endpoint.host.split(".").at(-1)) - 1;

async function counted(setup: Setup, rounds: number): Promise<number[]> {
  const counts = setup.upstreams.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    const index = setup.upstreams.indexOf((await setup.round()) as Upstream);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

describe("prequal", () => {
  for (const test of pickerContract((options) => prequal(options))) it(test.name, test.run);
  for (const test of pickerContract((options) => {
    const context = { clock: virtualClock(), random: options?.random ?? Math.random, send: async () => response(reportOf(1, 1)) };
    return prequal(options).forService?.("test", context) as Picker;
  }))
    it(`${test.name}, with probes`, test.run);

  it("probes three instances beside each request, at the configured path, and none twice", async () => {
    const { asked, round, picker, upstreams } = started(10, async () => response(reportOf(1, 10)), { probePath: "/load?x=1" });
    await round();
    expect(asked.map(({ service, method, path, attempt }) => ({ service, method, path, attempt }))).toEqual(
      Array.from({ length: 3 }, () => ({ service: "orders", method: "GET", path: "/load?x=1", attempt: 1 })),
    );
    expect(new Set(asked.map(({ upstream }) => upstream)).size).toBe(3);
    const views = upstreams.map((upstream) => picker.explain?.(upstream));
    expect(views.filter((view) => view?.["pool"] !== "absent")).toHaveLength(3);
    expect(views.reduce((sum, view) => sum + Number(view?.["probes"]), 0)).toBe(3);
  });

  it("sends probes after the request itself", () => {
    const { asked, pick } = started(5, async () => response(reportOf(1, 1)));
    pick();
    expect(asked).toEqual([]);
  });

  it("prefers the fastest instance that is not hot", async () => {
    const loads = [reportOf(2, 40), reportOf(2, 10), reportOf(30, 1), reportOf(2, 40)];
    const counts = await counted(
      started(4, async (request) => response(loads[indexOf(request)])),
      400,
    );
    expect((counts[1] ?? 0) / 400).toBeGreaterThan(0.6);
    expect((counts[2] ?? 0) / 400).toBeLessThan(0.05);
  });

  it("picks by requests in flight when all are equally fast", async () => {
    const counts = await counted(
      started(3, async (request) => response(reportOf([9, 1, 9][indexOf(request)] as number, 10)), { rifQuantile: 0 }),
      300,
    );
    expect((counts[1] ?? 0) / 300).toBeGreaterThan(0.8);
  });

  it("uses the latency that this process has measured for an instance that reports none", async () => {
    const setup = started(3, async () => response("TEXT named_metrics.rif=1"));
    for (const [index, upstream] of setup.upstreams.entries()) statisticsOf(upstream).latencyMs = index === 2 ? 5 : 50;
    const counts = await counted(setup, 300);
    expect((counts[2] ?? 0) / 300).toBeGreaterThan(0.6);
  });

  it.each<[string, Dispatch]>([
    ["rejects", async () => Promise.reject(new MeshError("ERR_MESH_CONNECT", "refused", { service: "orders" }))],
    [
      "throws",
      () => {
        throw new Error("closed");
      },
    ],
    ["answers 404", async () => response(reportOf(1, 1), 404)],
    ["answers without a report", async () => response()],
    ["answers a report without requests in flight", async () => response("TEXT cpu_utilization=0.1")],
    ["answers garbage", async () => response("garbage")],
    ["answers a negative number", async () => response("TEXT named_metrics.rif=-1,named_metrics.latency_ms=1")],
  ])("picks at random when the probe %s", async (_what, send) => {
    const setup = started(4, send);
    const counts = await counted(setup, 400);
    for (const count of counts) expect(Math.abs(count / 400 - 0.25)).toBeLessThan(0.1);
    for (const upstream of setup.upstreams) {
      const view = setup.picker.explain?.(upstream);
      expect(view).toMatchObject({ pool: "absent" });
      expect(view?.["probesFailed"]).toBe(view?.["probes"]);
      expect(view?.["probes"]).toBeGreaterThan(0);
    }
    expect(setup.clock.pending).toEqual([]);
  });

  it("avoids an instance that does not answer probes while others do", async () => {
    const setup = started(5, async (request) => (indexOf(request) === 0 ? response(undefined, 503) : response(reportOf(1, 10))));
    const counts = await counted(setup, 300);
    expect((counts[0] ?? 0) / 300).toBeLessThan(0.02);
  });

  it("sends nothing to an instance of two that leaves probes without an answer", async () => {
    const send: Dispatch = async (request) =>
      indexOf(request) === 0
        ? Promise.reject(new MeshError("ERR_MESH_TIMEOUT", "hangs", { service: "orders" }))
        : response(reportOf(1, 10));
    const setup = started(2, send);
    await counted(setup, 5);
    expect(await counted(setup, 200)).toEqual([0, 200]);
  });

  it("tries an instance whose report is outdated, and again at once while it answers faster than it says", async () => {
    const reports = [reportOf(0, 300), reportOf(0, 10), reportOf(0, 10), reportOf(0, 10)];
    const setup = started(4, async (request) => response(reports[indexOf(request)]));
    const { picker, clock, upstreams } = setup;
    const roundsUntilTried = async (ms: number): Promise<number> => {
      for (let round = 1; round <= 2_000; round++) {
        const picked = (await setup.round()) as Upstream;
        const isOutdated = picked === upstreams[0];
        const learner = picker.onAttempt?.(picked, testRequest());
        await clock.advance(isOutdated ? ms : 10);
        learner?.onHead(response(reports[upstreams.indexOf(picked)]));
        learner?.onEnd(undefined);
        if (isOutdated) return round;
      }
      return Number.POSITIVE_INFINITY;
    };
    await counted(setup, 20);
    const first = await roundsUntilTried(300);
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(600);
    expect(await roundsUntilTried(8)).toBeGreaterThan(100);
    for (let time = 0; time < 5; time++) expect(await roundsUntilTried(8)).toBeLessThan(10);
  });

  it("gives up a probe after probeTimeoutMs, has at most maxProbesInFlight, and leaves no timer", async () => {
    const cancelled: unknown[] = [];
    const send: Dispatch = (request) =>
      new Promise((_resolve, reject) => {
        request.cancellation.onCancel((reason) => {
          cancelled.push(reason);
          reject(reason);
        });
      });
    const { asked, pick, clock, picker, upstreams } = started(20, send, { maxProbesInFlight: 4, probeTimeoutMs: 50 });
    for (let call = 0; call < 10; call++) pick();
    await clock.advance(49);
    expect([asked.length, cancelled.length, clock.pending.length]).toEqual([4, 0, 4]);
    expect(clock.pending.every(({ keepsProcess }) => !keepsProcess)).toBe(true);
    await clock.advance(1);
    expect([cancelled.length, clock.pending.length]).toEqual([4, 0]);
    expect(String(cancelled[0])).toContain("did not answer a probe within 50 ms");
    pick();
    await clock.advance(1);
    expect(asked).toHaveLength(7);
    expect(upstreams.reduce((sum, upstream) => sum + Number(picker.explain?.(upstream)["probesFailed"]), 0)).toBe(4);
  });

  it("ignores a late answer, but consumes its body", async () => {
    let answer: (response: MeshResponse) => void = () => {};
    const late = response(reportOf(1, 1));
    const { pick, clock, picker, upstreams } = started(2, () => new Promise((resolve) => (answer = resolve)), { probesPerRequest: 1 });
    pick();
    await clock.advance(200);
    answer(late);
    await clock.advance(1);
    expect(upstreams.map((upstream) => picker.explain?.(upstream)["pool"])).toEqual(["absent", "absent"]);
    expect(late.body.used).toBe(true);
  });

  it("drops answers after maxProbeAgeMs", async () => {
    const { round, clock, picker, upstreams } = started(2, async () => response(reportOf(1, 1)), { probesPerRequest: 2 });
    await round();
    expect(picker.explain?.(upstreams[0] as Upstream)).toMatchObject({ pool: "cold", rif: 1, latencyMs: 1, uses: 0 });
    await clock.advance(1_001);
    expect(picker.explain?.(upstreams[0] as Upstream)).toMatchObject({ pool: "absent" });
  });

  it("learns from reports in responses without sending probes", async () => {
    const { picker, pick, asked, upstreams } = started(4, async () => response(reportOf(1, 1)), { probesPerRequest: 0 });
    const counts = [0, 0, 0, 0];
    for (let call = 0; call < 400; call++) {
      const picked = pick() as Upstream;
      const index = upstreams.indexOf(picked);
      counts[index] = (counts[index] as number) + 1;
      const learner = picker.onAttempt?.(picked, testRequest());
      learner?.onHead(response(reportOf(1, index === 3 ? 1 : 50)));
      learner?.onEnd(undefined);
    }
    expect(asked).toEqual([]);
    expect((counts[3] as number) / 400).toBeGreaterThan(0.5);
  });

  it("sends a probe for every second request with 0.5 probes per request", async () => {
    const { asked, round } = started(4, async () => response(reportOf(1, 1)), { probesPerRequest: 0.5 });
    for (let call = 0; call < 400; call++) await round();
    expect(Math.abs(asked.length - 200)).toBeLessThan(40);
  });

  it("avoids an instance that fails fast, though it is idle and looks fast", async () => {
    const setup = started(5, async (request) => response(indexOf(request) === 0 ? reportOf(0, 0.1) : reportOf(3, 10)));
    let failed = 0;
    for (let call = 0; call < 500; call++) {
      const picked = (await setup.round()) as Upstream;
      const isBad = picked === setup.upstreams[0];
      if (isBad) failed++;
      const learner = setup.picker.onAttempt?.(picked, testRequest());
      learner?.onHead(response(undefined, isBad ? 500 : 200));
      learner?.onEnd(undefined);
    }
    expect(failed / 500).toBeLessThan(0.05);
  });

  it("keeps the answers of members that stay across updates, and has a pool for each list", async () => {
    const { round, picker, clock, upstreams } = started(4, async () => response(reportOf(1, 1)), { probesPerRequest: 4 });
    await round();
    const known = upstreams.filter((upstream) => picker.explain?.(upstream)["pool"] !== "absent");
    const rest = upstreams.slice(0, 3);
    picker.update?.(rest);
    const other = [testUpstream({ port: 1 }), testUpstream({ port: 2 })];
    picker.update?.(other);
    expect(rest).toContain(picker.pick(rest, testRequest()));
    for (let call = 0; call < 20; call++) {
      expect(rest).toContain(picker.pick(rest, testRequest()));
      expect(other).toContain(picker.pick(other, testRequest()));
      await clock.advance(1);
    }
    expect(known.length).toBeGreaterThan(2);
    for (const upstream of [...rest, ...other]) expect(picker.explain?.(upstream)["pool"]).not.toBe("absent");
  });

  it("uses an answer as often as the paper's formula says", async () => {
    // Among 100: (1 + 1) / ((1 − 16/100) × 1.5 − 0) = 1.587 on average, so once or twice; among 4 the denominator is not positive.
    const mostUses = async (count: number, probesPerRequest: number) => {
      const setup = started(count, async () => response(reportOf(1, 1)), { probesPerRequest, removalsPerRequest: 0, maxProbeAgeMs: 1e9 });
      let most = 0;
      for (let call = 0; call < 200; call++) {
        await setup.round();
        for (const upstream of setup.upstreams) most = Math.max(most, Number(setup.picker.explain?.(upstream)["uses"] ?? 0));
      }
      return most;
    };
    // An answer that has been used twice is removed.
    expect(await mostUses(100, 1.5)).toBe(1);
    expect(await mostUses(100, 3)).toBe(0);
    expect(await mostUses(4, 0.1)).toBeGreaterThan(3);
  });

  it("counts malformed reports", async () => {
    const setup = started(3, async () => response("garbage"));
    for (let call = 0; call < 5; call++) await setup.round();
    expect(setup.picker.malformedReports).toBe(15);
  });

  it.each([
    [{ probePath: "load" }, 'prequal: probePath must be a path that begins with a slash, not "load"'],
    [{ probePath: "/a b" }, "prequal: probePath must be a path that begins with a slash"],
    [{ probeTimeoutMs: 0 }, "prequal: probeTimeoutMs must be from 1 to 60000, not 0"],
    [{ probesPerRequest: -1 }, "prequal: probesPerRequest must be from 0 to 100, not -1"],
    [{ maxProbesInFlight: 0.5 }, "prequal: maxProbesInFlight must be from 1 to 10000, not 0.5"],
    [{ poolSize: 1 }, "prequal: poolSize must be from 2 to 1000, not 1"],
    [{ maxProbeAgeMs: Number.NaN }, "prequal: maxProbeAgeMs must be a number, not NaN"],
    [{ rifQuantile: 84 }, "prequal: rifQuantile must be from 0 to 1, not 84"],
    [{ removalsPerRequest: "1" }, 'prequal: removalsPerRequest must be a number, not "1"'],
    [{ random: 1 }, "prequal: random must be a function, not 1"],
    [{ probes: 3 }, 'prequal has no option "probes"'],
  ])("refuses %j", (options, message) => {
    expect(() => prequal(options as object)).toThrow(message);
  });

  describe("in a mesh", () => {
    const servers: Server[] = [];
    afterEach(async () => {
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    });

    async function instance(latencyMs: number): Promise<{ port: number; paths: string[] }> {
      const paths: string[] = [];
      const server = createServer((request, answer) => {
        paths.push(request.url ?? "");
        if (request.url === "/.inmesh/load") answer.setHeader("endpoint-load-metrics", reportOf(1, latencyMs));
        answer.end("ok");
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return { port: (server.address() as AddressInfo).port, paths };
    }

    it("probes over the service's own connections without counting attempts", async () => {
      const [slow, fast] = [await instance(50), await instance(1)];
      const mesh = createMesh({
        discovery: staticDiscovery({ orders: [slow, fast].map(({ port }) => ({ host: "127.0.0.1", port })) }),
        picker: prequal(),
      });
      const deadline = performance.now() + 10_000;
      let calls = 0;
      while (fast.paths.filter((path) => path === "/x").length < 20 && performance.now() < deadline) {
        expect(await (await mesh.fetch("orders/x")).text()).toBe("ok");
        calls++;
      }
      const requests = (paths: readonly string[]) => paths.filter((path) => path === "/x").length;
      expect(requests(fast.paths)).toBe(20);
      expect(requests(slow.paths)).toBeLessThan(requests(fast.paths));
      expect(new Set([...slow.paths, ...fast.paths])).toEqual(new Set(["/x", "/.inmesh/load"]));
      const explained = mesh.explain("orders");
      expect(explained?.endpoints.reduce((sum, endpoint) => sum + endpoint.attempts, 0)).toBe(calls);
      expect(explained?.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
      for (const { picker } of explained?.endpoints ?? []) expect(picker?.["probes"]).toBeGreaterThan(0);
      await mesh.close();
    });
  });
});
