import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Upstream } from "../../../src/core/upstream.ts";
import type { HealthCheckProbe } from "../../../src/rotation/health/health-check-probe.ts";
import { HealthChecks, type HealthChecksOptions } from "../../../src/rotation/health/health-checks.ts";
import { testUpstream } from "../../../src/testing/request.ts";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});

const instances = (count: number, from = 0): Upstream[] =>
  Array.from({ length: count }, (_, index) => testUpstream({ id: `i${from + index}`, port: from + index + 1 }));

function checking(upstreams: readonly Upstream[], options: Partial<HealthChecksOptions> = {}) {
  const ours = clock;
  const log: string[] = [];
  const started: { readonly id: string; readonly at: number }[] = [];
  const failing = new Map<string, unknown>();
  let running = 0;
  let most = 0;
  const probe: HealthCheckProbe = (upstream, cancellation) => {
    started.push({ id: upstream.id, at: clock.now() });
    most = Math.max(most, ++running);
    const failure = failing.get(upstream.id);
    const ended = failure === "hang" ? new Promise<void>((_, reject) => cancellation.onCancel(reject)) : Promise.resolve();
    return ended.finally(() => running--).then(() => (failure === undefined ? undefined : Promise.reject(failure)));
  };
  const checks = new HealthChecks({
    probe,
    clock,
    random: () => 0.5,
    onUnhealthy: ({ id }) => log.push(`${id} out`),
    onHealthy: ({ id }) => log.push(`${id} in`),
    ...options,
  });
  onTestFinished(() => {
    checks.stop();
    expect(ours.pending, "timers left").toEqual([]);
  });
  checks.update(upstreams);
  return {
    checks,
    log,
    started,
    failing,
    get running() {
      return running;
    },
    get most() {
      return most;
    },
  };
}

describe("the checks of a service", () => {
  it("begin at once and come back every interval", async () => {
    const { started } = checking(instances(3));
    await clock.advance(100);
    expect(started.map(({ id, at }) => `${id} ${at}`)).toEqual(["i0 0", "i1 10", "i2 20"]);
    await clock.advance(9_895);
    expect(started).toHaveLength(3);
    await clock.advance(30_005);
    expect(started.slice(3).map(({ id, at }) => `${id} ${at}`)).toEqual(
      [1, 2, 3, 4].flatMap((round) => [0, 1, 2].map((each) => `i${each} ${round * 10_000 + each * 10}`)).slice(0, started.length - 3),
    );
    expect(started.length).toBeGreaterThanOrEqual(12);
  });

  it("spread ten thousand instances over the interval, with one timer, a few at a time", async () => {
    const checks = checking(instances(10_000));
    await clock.advance(9_999);
    expect(checks.started.length).toBeGreaterThan(9_990);
    const perSecond = Array.from(
      { length: 10 },
      (_, second) => checks.started.filter(({ at }) => Math.floor(at / 1_000) === second).length,
    );
    for (const count of perSecond) expect(count).toBeGreaterThan(990);
    expect(checks.most).toBeLessThan(10);
    expect(clock.pending.length).toBeLessThan(5);
  });

  it("are started a few in a row where many are due at once, so that requests have their turn", async () => {
    const perTurn: number[] = [];
    const checks = checking(instances(100), {
      intervalMs: 1,
      clock: {
        ...clock,
        setTimer: (callback, delayMs, keepsProcess) =>
          clock.setTimer(
            () => {
              const before = checks.started.length;
              callback();
              perTurn.push(checks.started.length - before);
            },
            delayMs,
            keepsProcess,
          ),
      },
    });
    await clock.advance(5);
    expect(Math.max(...perTurn)).toBe(16);
  });

  it("vary each interval by their jitter", async () => {
    for (const [random, intervalMs] of [
      [0, 8_000],
      [0.999_999_9, 12_000],
    ] as const) {
      clock = virtualClock();
      const { started } = checking(instances(1), { jitter: 0.2, random: () => random });
      await clock.advance(intervalMs * 3 + 10);
      const steps = started.slice(1).map(({ at }, index) => Math.round(at - (started[index]?.at ?? 0)));
      expect(steps).toEqual([intervalMs, intervalMs, intervalMs]);
    }
  });

  it("keep no process alive", async () => {
    const { failing } = checking(instances(5));
    failing.set("i0", "hang");
    await clock.advance(25);
    expect(clock.pending.map(({ keepsProcess }) => keepsProcess)).toEqual([false, false]);
  });

  it("hold no more than 128 places, also where everything hangs", async () => {
    const checks = checking(instances(1_000), { intervalMs: 500, timeoutMs: 200, jitter: 0 });
    for (let index = 0; index < 1_000; index++) checks.failing.set(`i${index}`, "hang");
    await clock.advance(5_000);
    expect(checks.most).toBe(128);
    expect(new Set(checks.started.map(({ id }) => id)).size, "nobody starves").toBe(1_000);
  });

  it("take new instances at once and let those go that have left, also in the middle of a check", async () => {
    const [first, second, third] = instances(3) as [Upstream, Upstream, Upstream];
    const checks = checking([first, second], { timeoutMs: 5_000 });
    checks.failing.set("i1", "hang");
    await clock.advance(100);
    expect(checks.running).toBe(1);
    checks.checks.update([first, third]);
    await clock.advance(100);
    expect([checks.running, checks.started.map(({ id }) => id)]).toEqual([0, ["i0", "i1", "i2"]]);
    await clock.advance(10_000);
    expect(checks.started.map(({ id }) => id)).toEqual(["i0", "i1", "i2", "i0", "i2"]);
    expect([checks.log, checks.checks.result(second)]).toEqual([[], undefined]);
    checks.checks.update([]);
    expect(clock.pending).toEqual([]);
  });

  it("go on for one that is out and leaves a subset, until it passes, and end for one that leaves discovery", async () => {
    const [first, second, third] = instances(3) as [Upstream, Upstream, Upstream];
    const { checks, log, started, failing } = checking([first, second], {
      onHealthy: ({ id }) => {
        log.push(`${id} in`);
        checks.update([third]);
      },
    });
    failing.set("i0", new Error("no"));
    failing.set("i1", new Error("no"));
    await clock.advance(100);
    second.markRemoved();
    checks.update([third]);
    await clock.advance(30_000);
    failing.clear();
    await clock.advance(100_000);
    expect([log, started.filter(({ id }) => id === "i1").length]).toEqual([["i0 out", "i1 out", "i0 in"], 1]);
    expect(started.filter(({ id, at }) => id === "i0" && at > 60_000)).toEqual([]);
  });

  it("end when they are stopped, whatever is under way, and begin no more", async () => {
    const checks = checking(instances(3), { timeoutMs: 100_000 });
    for (const id of ["i0", "i1", "i2"]) checks.failing.set(id, "hang");
    await clock.advance(100);
    checks.checks.stop();
    checks.checks.stop();
    await clock.advance(0);
    expect([checks.running, clock.pending]).toEqual([0, []]);
    checks.checks.update(instances(3, 10));
    await clock.advance(100_000);
    expect([checks.started.length, checks.log]).toEqual([3, []]);
  });

  it("are over at their timeout, also where a probe does not listen", async () => {
    const { log, checks } = checking(instances(1), { probe: () => new Promise(() => {}), timeoutMs: 300 });
    await clock.advance(299);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect([log, checks.result(testUpstream())]).toEqual([["i0 out"], undefined]);
  });
});

describe("a check", () => {
  it("that is the first of an instance takes it out when it fails; until then the instance is used", async () => {
    const [upstream] = instances(1) as [Upstream];
    const { log, failing, checks } = checking([upstream]);
    expect(checks.result(upstream)).toBeUndefined();
    failing.set("i0", new Error("it answered 503"));
    await clock.advance(10);
    expect(log).toEqual(["i0 out"]);
    expect(checks.result(upstream)).toEqual({
      passed: false,
      atMs: clock.wallNow() - 10,
      durationMs: 0,
      inRow: 1,
      error: "it answered 503",
    });
  });

  it("takes three failures in a row, and two passes back", async () => {
    const { log, failing } = checking(instances(1), { jitter: 0 });
    await clock.advance(5);
    const rounds = async (count: number, failure?: Error) => {
      if (failure === undefined) failing.clear();
      else failing.set("i0", failure);
      await clock.advance(10_000 * count);
    };
    const failure = new Error("no");
    await rounds(2, failure);
    await rounds(1);
    await rounds(2, failure);
    expect(log).toEqual([]);
    await rounds(1, failure);
    expect(log).toEqual(["i0 out"]);
    await rounds(1);
    await rounds(1, failure);
    await rounds(1);
    expect(log).toEqual(["i0 out"]);
    await rounds(1);
    expect(log).toEqual(["i0 out", "i0 in"]);
    await rounds(5);
    expect(log).toHaveLength(2);
  });

  it("takes other thresholds from the options", async () => {
    const { log, failing } = checking(instances(1), { unhealthyThreshold: 1, healthyThreshold: 1, jitter: 0 });
    await clock.advance(5);
    failing.set("i0", new Error("no"));
    await clock.advance(10_000);
    failing.clear();
    await clock.advance(10_000);
    expect(log).toEqual(["i0 out", "i0 in"]);
  });

  it("says nothing when this process has run out of something", async () => {
    const [upstream] = instances(1) as [Upstream];
    const { log, failing, checks, started } = checking([upstream]);
    failing.set("i0", Object.assign(new Error("too many open files"), { code: "EMFILE" }));
    await clock.advance(50_010);
    expect([started.length, log, checks.result(upstream)]).toEqual([6, [], undefined]);
  });

  it("that throws what is no error counts as failed", async () => {
    const [upstream] = instances(1) as [Upstream];
    const { failing, checks } = checking([upstream]);
    failing.set("i0", "odd");
    await clock.advance(10);
    expect(checks.result(upstream)?.error).toBe("odd");
  });
});
