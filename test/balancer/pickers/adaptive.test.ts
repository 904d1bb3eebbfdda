import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { adaptive, MeshError, roundRobin } from "../../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";
import { failing, healthy, type Instance, manualClock, meanMs, play, type Scenario, shareOf, successOf } from "../scenario.ts";

const fast = healthy(10);
const create: Scenario["create"] = (options) => adaptive(options);
const turns: Scenario["create"] = ({ random }) => roundRobin({ random });
const rates = [5, 100, 1_000];

function upstreamsOf(count: number): Upstream[] {
  return Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.${index >> 8}.${index & 255}` }));
}

function answer(picker: Picker, clock: { time: number }, upstream: Upstream, ms: number, status = 200, path = "/"): void {
  const learner = picker.onAttempt?.(upstream, testRequest({ path }));
  clock.time += ms;
  learner?.onHead(localResponse(status));
  learner?.onEnd(undefined);
}

/** The shares of picks without attempts, from which nothing is learnt. */
function sharesOf(picker: Picker, upstreams: readonly Upstream[], picks: number, path = "/"): number[] {
  const counts = new Map<Upstream | undefined, number>();
  for (let call = 0; call < picks; call++) {
    const picked = picker.pick(upstreams, testRequest({ path }));
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return upstreams.map((upstream) => (counts.get(upstream) ?? 0) / picks);
}

describe("adaptive", () => {
  for (const test of pickerContract((options) => adaptive(options))) it(test.name, test.run);

  for (const rate of rates) {
    it(`gives one of 5 instances that is 50 times slower less than 5 % after some seconds, at ${rate} requests per second`, () => {
      for (const seed of [1, 2, 3]) {
        const served = play({ instances: [healthy(500), fast, fast, fast, fast], create, rate, seconds: 30, seed });
        expect(shareOf(served, 0, 5)).toBeLessThan(0.05);
      }
    });

    for (const [what, instance] of Object.entries({
      "fails fast with 500": failing(500),
      "fails fast with 503": failing(503),
      "answers 429": failing(429),
      "answers 404 when no other does": failing(404),
      "refuses connections": failing(0),
      "never answers": () => ({ ms: 2_000, status: 0 }),
    } satisfies Record<string, Instance>)) {
      it(`avoids an instance that ${what}, at ${rate} requests per second`, () => {
        const scenario = { instances: [instance, fast, fast, fast, fast], rate, seconds: 30 };
        const served = play({ ...scenario, create });
        expect(shareOf(served, 0)).toBeLessThan(0.06);
        expect(successOf(served)).toBeGreaterThan(successOf(play({ ...scenario, create: turns })));
      });
    }
  }

  it("gives an instance that has become fast its share back within 20 seconds", () => {
    const healing: Instance = (now, path, random) => (now < 20_000 ? healthy(500) : fast)(now, path, random);
    for (const seed of [1, 2, 3]) {
      const served = play({ instances: [healing, fast, fast, fast, fast], create, seconds: 60, seed });
      expect(shareOf(served, 0, 5, 20)).toBeLessThan(0.03);
      expect(shareOf(served, 0, 40, 60)).toBeGreaterThan(0.1);
    }
  });

  for (const [outage, patience] of [
    [3, 40],
    [20, 45],
    [60, 45],
  ] as const) {
    it(`gives an instance that has failed for ${outage} seconds its share back within ${patience}`, () => {
      const healing: Instance = (now, path, random) => (now < outage * 1_000 ? failing(503) : fast)(now, path, random);
      for (const seed of [1, 2, 3]) {
        const served = play({ instances: [healing, fast, fast, fast, fast], create, seconds: outage + patience + 30, seed });
        expect(shareOf(served, 0, 0.1, outage)).toBeLessThan(0.03);
        expect(shareOf(served, 0, outage + patience)).toBeGreaterThan(0.1);
      }
    });
  }

  it("tries an instance that fails at each trial less and less often", () => {
    const served = play({ instances: [failing(503), fast, fast, fast, fast], create, seconds: 120 });
    expect(served.filter(({ instance }) => instance === 0).length).toBeLessThan(16);
  });

  it("spreads requests over all instances when each of them fails a little", () => {
    const flaky: Instance = (now, path, random) => ({ ...fast(now, path, random), status: random() < 0.02 ? 500 : 200 });
    for (const seed of [1, 2, 3]) {
      const served = play({ instances: Array.from({ length: 8 }, () => flaky), create, rate: 400, seconds: 60, seed });
      for (let instance = 0; instance < 8; instance++) expect(shareOf(served, instance)).toBeGreaterThan(0.04);
    }
  });

  it("ignores successes of attempts that began before the last failure", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(12) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    const [failing] = upstreams as [Upstream];
    const slow = Array.from({ length: 50 }, () => picker.onAttempt?.(failing, testRequest()));
    clock.time += 1_000;
    answer(picker, clock, failing, 0, 503);
    for (const learner of slow) {
      clock.time += 100;
      learner?.onHead(localResponse(200));
      learner?.onEnd(undefined);
    }
    expect(picker.explain?.(failing)?.["failureRatio"]).toBeGreaterThan(0.3);
    for (let call = 0; call < 20; call++) {
      clock.time += 100;
      answer(picker, clock, failing, 10);
    }
    expect(picker.explain?.(failing)?.["failureRatio"]).toBeLessThan(0.1);
  });

  it("counts a failure after a silence more than one among many responses", () => {
    const ratioAfter = (everyMs: number) => {
      const clock = manualClock();
      const picker = adaptive({ clock, random: seededRandom(13) });
      const upstreams = upstreamsOf(2);
      picker.update?.(upstreams);
      const [upstream] = upstreams as [Upstream];
      for (let call = 0; call < 20; call++) answer(picker, clock, upstream, everyMs);
      answer(picker, clock, upstream, everyMs, 503);
      return picker.explain?.(upstream)?.["failureRatio"] as number;
    };
    expect(ratioAfter(2_000)).toBeGreaterThan(0.4);
    expect(ratioAfter(20)).toBeLessThan(0.05);
  });

  it("still decides by latency when every instance fails a little", () => {
    const failsAtTimes =
      (instance: Instance): Instance =>
      (now, path, random) => ({
        ...instance(now, path, random),
        status: random() < 0.03 ? 503 : 200,
      });
    const instances = [healthy(100), fast, fast, fast, fast].map(failsAtTimes);
    for (const seed of [1, 2, 3]) expect(shareOf(play({ instances, create, seconds: 60, seed }), 0, 5)).toBeLessThan(0.05);
  });

  it("keeps every instance in use when all fail", () => {
    const served = play({ instances: Array.from({ length: 4 }, () => failing(503)), create, seconds: 30 });
    for (let instance = 0; instance < 4; instance++) expect(shareOf(served, instance)).toBeGreaterThan(0.15);
  });

  it("moves no requests for callers' mistakes, which all instances answer with 400", () => {
    const withMistakes =
      (instance: Instance): Instance =>
      (now, path, random) => ({
        ...instance(now, path, random),
        status: random() < 0.3 ? 400 : 200,
      });
    const served = play({ instances: [healthy(100), fast, fast, fast, fast].map(withMistakes), create, seconds: 60 });
    expect(shareOf(served, 0, 5)).toBeLessThan(0.05);
  });

  it("avoids 3 slow instances of 20", () => {
    const instances = Array.from({ length: 20 }, (_, index) => (index < 3 ? healthy(500) : fast));
    const served = play({ instances, create, seconds: 30 });
    expect(shareOf(served, 0, 5) + shareOf(served, 1, 5) + shareOf(served, 2, 5)).toBeLessThan(0.02);
    expect(meanMs(served)).toBeLessThan(meanMs(play({ instances, create: turns, seconds: 30 })) / 4);
  });

  it("avoids slow instances in lists of which it does not look at every candidate", () => {
    const instances = Array.from({ length: 100 }, (_, index) => (index < 20 ? healthy(500) : fast));
    const served = play({ instances, create, rate: 1_000, seconds: 20 });
    const slow = served.filter(({ at, instance }) => at > 5_000 && instance < 20).length;
    expect(slow / served.length).toBeLessThan(0.02);
  });

  it("finds the good instances of a long list in which nine of ten fail", () => {
    const instances = Array.from({ length: 100 }, (_, index) => (index % 10 > 0 ? failing(500) : fast));
    const served = play({ instances, create, rate: 300, seconds: 20 });
    expect(successOf(served)).toBeGreaterThan(0.9);
  });

  it("spreads requests evenly over a long list", () => {
    const served = play({ instances: Array.from({ length: 60 }, () => fast), create, rate: 600, seconds: 40 });
    for (let instance = 0; instance < 60; instance++) {
      const share = shareOf(served, instance, 10) * 60;
      expect(share).toBeGreaterThan(0.93);
      expect(share).toBeLessThan(1.07);
    }
  });

  it("keeps the other routes of an instance on which one route fails", () => {
    const instance: Instance = (now, path, random) => (path.startsWith("/reports") ? failing(500) : fast)(now, path, random);
    const served = play({ instances: [instance, fast, fast, fast], create, paths: ["/reports/1", "/users/2"], seconds: 30 });
    const reports = served.filter(({ path }) => path === "/reports/1");
    const users = served.filter(({ path }) => path === "/users/2");
    expect(shareOf(reports, 0, 1)).toBeLessThan(0.03);
    expect(shareOf(users, 0, 1)).toBeGreaterThan(0.15);
  });

  it("expects a route that is new to an instance to fail when all its routes do", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(1) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    for (const path of ["/", "/a", "/b"])
      for (let call = 0; call < 50; call++) answer(picker, clock, upstreams[0] as Upstream, 0, 500, path);
    expect(sharesOf(picker, upstreams, 100, "/c")).toEqual([0, 1]);
    answer(picker, clock, upstreams[0] as Upstream, 10, 200, "/d");
    expect(sharesOf(picker, upstreams, 1_000, "/c")[0]).toBeGreaterThan(0.4);
  });

  it("has a rate for each route that a call names", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(1) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) for (const path of ["/", "/x"]) answer(picker, clock, upstream, 10, 200, path);
    const request = testRequest({ path: "/x/1", options: { route: "/x/{id}/slow" } });
    const learner = picker.onAttempt?.(upstreams[0] as Upstream, request);
    clock.time += 100;
    learner?.onHead(localResponse(500));
    learner?.onEnd(undefined);
    for (let call = 0; call < 50; call++) expect(picker.pick(upstreams, request)).toBe(upstreams[1]);
    expect(sharesOf(picker, upstreams, 1_000, "/x/1")[0]).toBeGreaterThan(0.4);
  });

  it("spreads a burst evenly over all instances, whether they are known or not", () => {
    for (const isKnown of [false, true]) {
      const clock = manualClock();
      const picker = adaptive({ clock, random: seededRandom(3) });
      const upstreams = upstreamsOf(5);
      picker.update?.(upstreams);
      if (isKnown) for (const upstream of upstreams) answer(picker, clock, upstream, 10);
      for (let call = 0; call < 500; call++) {
        const picked = picker.pick(upstreams, testRequest()) as Upstream;
        statisticsOf(picked).inFlight++;
        picker.onAttempt?.(picked, testRequest());
      }
      for (const { inFlight } of upstreams) expect(Math.abs(inFlight - 100)).toBeLessThan(isKnown ? 10 : 2);
    }
  });

  it("tries a new instance with one request, and gives it its fair share once that is answered", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(4) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams.slice(0, 2));
    for (const upstream of upstreams.slice(0, 2)) answer(picker, clock, upstream, 10);
    picker.update?.(upstreams);
    const fresh = upstreams[2] as Upstream;
    expect(sharesOf(picker, upstreams, 30)[2]).toBeGreaterThan(0);
    statisticsOf(fresh).inFlight++;
    picker.onAttempt?.(fresh, testRequest());
    expect(sharesOf(picker, upstreams, 100)[2]).toBe(0);
    statisticsOf(fresh).inFlight--;
    answer(picker, clock, fresh, 10);
    expect(sharesOf(picker, upstreams, 300)[2]).toBeCloseTo(1 / 3, 1);
  });

  it("tries an instance that has only failed so far again after a pause, with one request", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(15) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    const [failing, good] = upstreams as [Upstream, Upstream];
    answer(picker, clock, failing, 1, 503);
    answer(picker, clock, good, 10);
    expect(sharesOf(picker, upstreams, 100)).toEqual([0, 1]);
    clock.time += 2_000;
    expect(sharesOf(picker, upstreams, 100)).toEqual([0.01, 0.99]);
    // It waits for the answer.
    statisticsOf(failing).inFlight = 1;
    clock.time += 2_000;
    expect(sharesOf(picker, upstreams, 100)).toEqual([0, 1]);
  });

  it("does not prefer an instance that fails when all others have become slow", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(16) });
    const upstreams = upstreamsOf(5);
    picker.update?.(upstreams);
    for (const upstream of upstreams) for (let call = 0; call < 5; call++) answer(picker, clock, upstream, 5);
    const [failing] = upstreams as [Upstream];
    for (let call = 0; call < 10; call++) answer(picker, clock, failing, 100, 503);
    // The process, or something that the instances have in common, is blocked for a while.
    for (const upstream of upstreams.slice(1)) {
      for (statisticsOf(upstream).inFlight = 0; upstream.inFlight < 10; statisticsOf(upstream).inFlight++)
        picker.onAttempt?.(upstream, testRequest());
    }
    clock.time += 900;
    expect(sharesOf(picker, upstreams, 100)[0]).toBe(0);
  });

  it("notices an instance that hangs before a single request has ended", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(5) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (let call = 0; call < 10; call++) for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    const [hanging, busy] = upstreams as [Upstream, Upstream];
    statisticsOf(hanging).inFlight = 1;
    statisticsOf(busy).inFlight = 5;
    const learner = picker.onAttempt?.(hanging, testRequest());
    expect(picker.pick(upstreams, testRequest())).toBe(hanging);
    clock.time += 500;
    expect(picker.pick(upstreams, testRequest())).toBe(busy);
    // The caller gives up: the attempt would have taken at least that long.
    statisticsOf(hanging).inFlight = 0;
    learner?.onEnd(new Error("the caller's own reason"));
    expect(picker.pick(upstreams, testRequest())).toBe(busy);
  });

  it("does not count the time of a long body, but counts a broken one", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(6) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    const learner = picker.onAttempt?.(upstreams[0] as Upstream, testRequest());
    clock.time += 10;
    learner?.onHead(localResponse(200));
    clock.time += 60_000;
    const givenUp = picker.onAttempt?.(upstreams[0] as Upstream, testRequest());
    clock.time += 10;
    givenUp?.onHead(localResponse(200));
    clock.time += 60_000;
    givenUp?.onEnd(new Error("the caller has enough"));
    expect(sharesOf(picker, upstreams, 1_000)[0]).toBeGreaterThan(0.4);
    const record = { upstream: "10.0.0.0:80", phase: "body", ms: 10, maybeExecuted: true } as const;
    learner?.onEnd(new MeshError("ERR_MESH_BODY", "cut off", { service: "test", attempts: [record as never] }));
    expect(sharesOf(picker, upstreams, 1_000)[0]).toBe(0);
  });

  it("remembers slow instances across updates", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(7) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    for (let call = 0; call < 20; call++) {
      for (const [index, upstream] of upstreams.entries()) answer(picker, clock, upstream, index === 0 ? 500 : 10);
    }
    expect(sharesOf(picker, upstreams, 100)[0]).toBe(0);
    picker.update?.(upstreams.slice(1));
    picker.update?.(upstreams);
    expect(sharesOf(picker, upstreams, 100)[0]).toBe(0);
    // In a part of the list too, as for a retry.
    expect(sharesOf(picker, [upstreams[2] as Upstream, upstreams[0] as Upstream], 100)).toEqual([1, 0]);
  });

  it("keeps services apart", () => {
    const clock = manualClock();
    const pickers = ["orders", "users"].map((service) => adaptive().forService?.(service, { clock, random: seededRandom(8) }) as Picker);
    const upstreams = upstreamsOf(2);
    for (const picker of pickers) picker.update?.(upstreams);
    for (const upstream of upstreams) for (const picker of pickers) answer(picker, clock, upstream, 10);
    for (let call = 0; call < 3; call++) answer(pickers[0] as Picker, clock, upstreams[0] as Upstream, 0, 503);
    expect(sharesOf(pickers[0] as Picker, upstreams, 100)[0]).toBe(0);
    expect(sharesOf(pickers[1] as Picker, upstreams, 1_000)[0]).toBeGreaterThan(0.4);
  });

  it("picks a member of the list with any clock, random source, latencies and endings", () => {
    const strange = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1));
    const events = fc.array(fc.record({ time: strange, chance: strange, status: fc.integer({ min: 0, max: 999 }), isCut: fc.boolean() }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), events, (size, list) => {
        const clock = manualClock();
        let chance = 0;
        const picker = adaptive({ clock, random: () => chance });
        const upstreams = upstreamsOf(size);
        picker.update?.(upstreams);
        for (const event of list) {
          chance = event.chance;
          const picked = picker.pick(upstreams, testRequest({ path: `/${event.status}` }));
          expect(upstreams).toContain(picked);
          const learner = picker.onAttempt?.(picked as Upstream, testRequest({ path: `/${event.status}` }));
          clock.time = event.time;
          if (event.status > 99) learner?.onHead(localResponse(event.status));
          learner?.onEnd(event.isCut ? new MeshError("ERR_MESH_CONNECT", "refused", { service: "test" }) : undefined);
        }
      }),
    );
  });

  it.each([
    [{ decayMs: 0 }, "adaptive: decayMs must be at least 1, not 0"],
    [{ failureHalfLifeMs: Number.NaN }, "adaptive: failureHalfLifeMs must be a number, not NaN"],
    [{ failureWeight: -1 }, "adaptive: failureWeight must be from 0 to"],
    [{ random: 1 }, "adaptive: random must be a function, not 1"],
    [{ choices: 2 }, 'adaptive has no option "choices"'],
  ])("refuses %j", (options, message) => {
    expect(() => adaptive(options as object)).toThrow(message);
  });

  it("gives the heavier of equally fast instances more requests in flight in proportion to its weight", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(9) });
    const upstreams = [1, 2, 4].map((weight, index) => testUpstream({ host: `10.0.0.${index}`, weight }));
    picker.update?.(upstreams);
    for (const upstream of upstreams) {
      const learner = picker.onAttempt?.(upstream, testRequest());
      learner?.onHead(localResponse(200));
    }
    for (let call = 0; call < 700; call++) statisticsOf(picker.pick(upstreams, testRequest()) as Upstream).inFlight++;
    for (const { inFlight, weight } of upstreams) expect(Math.abs(inFlight - 100 * weight)).toBeLessThan(5);
  });

  for (const weight of [1, 10, 1_000, 65_535]) {
    it(`avoids an instance that fails fast whatever its weight, ${weight} to 1`, () => {
      const clock = manualClock();
      const picker = adaptive({ clock, random: seededRandom(10) });
      const upstreams = [weight, 1, 1, 1].map((each, index) => testUpstream({ host: `10.0.0.${index}`, weight: each }));
      picker.update?.(upstreams);
      const [failing] = upstreams as [Upstream];
      // It was healthy, and as fast as the others.
      for (const upstream of upstreams) answer(picker, clock, upstream, 5);
      let failed = 0;
      // Fifty at a time, as under load.
      for (let round = 0; round < 100; round++) {
        const picked = Array.from({ length: 50 }, () => {
          const upstream = picker.pick(upstreams, testRequest()) as Upstream;
          statisticsOf(upstream).inFlight++;
          return { upstream, learner: picker.onAttempt?.(upstream, testRequest()) };
        });
        clock.time += 5;
        for (const { upstream, learner } of picked) {
          if (upstream === failing) failed++;
          learner?.onHead(localResponse(upstream === failing ? 503 : 200));
          learner?.onEnd(undefined);
          statisticsOf(upstream).inFlight--;
        }
      }
      // In the first round the failures are not known yet.
      expect(failed).toBeLessThan(0.05 * 5_000);
    });
  }

  it("picks by weight in a part of the list too, and in lists of which it does not look at every candidate", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(11) });
    const upstreams = Array.from({ length: 60 }, (_, index) => testUpstream({ host: `10.0.0.${index}`, weight: index % 2 === 0 ? 1 : 3 }));
    picker.update?.(upstreams);
    for (const upstream of upstreams) answer(picker, clock, upstream, 0);
    for (const list of [upstreams, upstreams.slice(7, 29)]) {
      for (const upstream of upstreams) statisticsOf(upstream).inFlight = 0;
      for (let call = 0; call < 4_000; call++) statisticsOf(picker.pick(list, testRequest()) as Upstream).inFlight++;
      const sumOf = (weight: number) => list.filter((each) => each.weight === weight).reduce((sum, { inFlight }) => sum + inFlight, 0);
      const heads = list.filter(({ weight }) => weight === 3).length / list.filter(({ weight }) => weight === 1).length;
      expect(Math.abs(sumOf(3) / sumOf(1) / heads - 3)).toBeLessThan(0.4);
    }
  });

  it("explains the cost of an instance by its terms, and the share that it is meant to have", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(17) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    for (let call = 0; call < 30; call++) answer(picker, clock, picker.pick(upstreams, testRequest()) as Upstream, 10);
    for (const upstream of upstreams) {
      const view = picker.explain?.(upstream) as Record<string, number>;
      expect(view).toMatchObject({ cost: 10, latencyMs: 10, load: 1, penaltyMs: 0, failureRatio: 0, waiting: 0 });
      expect(view["meant"]).toBeCloseTo(1 / 3, 5);
      expect(view).not.toHaveProperty("avoided");
    }
  });

  it("looks at a bounded number of instances for each that it explains, however long the list", () => {
    let looks = 0;
    const upstreams = new Proxy(upstreamsOf(1_000), {
      get(target, key, receiver) {
        if (typeof key === "string" && /^\d+$/.test(key)) looks++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(15) });
    picker.update?.(upstreams);
    answer(picker, clock, picker.pick(upstreams, testRequest()) as Upstream, 10);
    looks = 0;
    for (const upstream of [...upstreams]) expect(picker.explain?.(upstream)).toHaveProperty("cost");
    expect(looks / 1_000).toBeLessThan(100);
  });

  it("picks the instance of the lowest cost that it explains", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(18) });
    const upstreams = upstreamsOf(4);
    picker.update?.(upstreams);
    for (let call = 0; call < 20; call++) for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    for (const [index, upstream] of upstreams.entries()) {
      statisticsOf(upstream).inFlight = [3, 1, 2, 5][index] as number;
      for (let call = 0; call < upstream.inFlight; call++) picker.onAttempt?.(upstream, testRequest());
    }
    const picked = picker.pick(upstreams, testRequest()) as Upstream;
    const costs = upstreams.map((upstream) => {
      const view = picker.explain?.(upstream) as Record<"cost" | "latencyMs" | "load" | "penaltyMs", number>;
      expect(view.cost).toBeCloseTo(view.latencyMs * view.load + view.penaltyMs, 9);
      return view.cost;
    });
    expect(Math.min(...costs)).toBe(costs[upstreams.indexOf(picked)]);
    expect(picked).toBe(upstreams[1]);
  });

  it("explains in words why an instance is avoided, and when it is tried next", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(19) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    const [failing, slow, good] = upstreams as [Upstream, Upstream, Upstream];
    for (let call = 0; call < 20; call++) {
      answer(picker, clock, good, 10);
      answer(picker, clock, slow, 100);
      answer(picker, clock, failing, 1, 500);
      picker.pick(upstreams, testRequest());
    }
    expect(picker.explain?.(failing)?.["avoided"]).toMatch(/^fails \d+ %, next try in \d+ s/);
    expect(picker.explain?.(slow)?.["avoided"]).toMatch(/^[89]\.\d times slower than the fastest, next try (in \d+ s|now)/);
    expect(picker.explain?.(good)).not.toHaveProperty("avoided");
    expect(picker.explain?.(failing)?.["meant"]).toBe(0);
    expect(picker.explain?.(failing)?.["cost"]).toBeGreaterThan(100);
    // An instance of another list, of which nothing is known.
    expect(picker.explain?.(testUpstream({ host: "10.9.9.9" }))).toMatchObject({ waiting: 0, failureRatio: 0, meant: 1 });
  });
});
