import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker } from "../../src/balancer/picker.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { adaptive, localResponse, MeshError, roundRobin } from "../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream } from "../../src/testing/index.ts";
import { failing, healthy, type Instance, manualClock, meanMs, play, type Scenario, shareOf, successOf } from "./scenario.ts";

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

/** Picks that nothing is learnt from. */
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
    it(`gives one of 5 instances that is 50 times slower less than 3 % after warm-up, at ${rate} requests per second`, () => {
      for (const seed of [1, 2, 3]) {
        const served = play({ instances: [healthy(500), fast, fast, fast, fast], create, rate, seconds: 30, seed });
        expect(shareOf(served, 0, 5)).toBeLessThan(0.03);
      }
    });

    for (const [what, instance] of Object.entries({
      "fails fast with 500": failing(500),
      "fails fast with 503": failing(503),
      "answers 429": failing(429),
      "answers 404 when nobody else does": failing(404),
      "refuses connections": failing(0),
      "never answers": () => ({ ms: 2_000, status: 0 }),
    } satisfies Record<string, Instance>)) {
      it(`leaves an instance that ${what}, at ${rate} requests per second`, () => {
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

  it("gives an instance that no longer fails its share back within 15 seconds", () => {
    const healing: Instance = (now, path, random) => (now < 20_000 ? failing(503) : fast)(now, path, random);
    for (const seed of [1, 2, 3]) {
      const served = play({ instances: [healing, fast, fast, fast, fast], create, seconds: 60, seed });
      expect(shareOf(served, 0, 1, 20)).toBeLessThan(0.03);
      expect(shareOf(served, 0, 35, 60)).toBeGreaterThan(0.12);
    }
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

  it("keeps everybody in use when all fail", () => {
    const served = play({ instances: Array.from({ length: 4 }, () => failing(503)), create, seconds: 30 });
    for (let instance = 0; instance < 4; instance++) expect(shareOf(served, instance)).toBeGreaterThan(0.15);
  });

  it("is not led astray by callers' mistakes, which all instances answer with 400", () => {
    const withMistakes =
      (instance: Instance): Instance =>
      (now, path, random) => ({
        ...instance(now, path, random),
        status: random() < 0.3 ? 400 : 200,
      });
    const served = play({ instances: [healthy(100), fast, fast, fast, fast].map(withMistakes), create, seconds: 60 });
    expect(shareOf(served, 0, 5)).toBeLessThan(0.05);
  });

  it("finds 3 slow ones of 20", () => {
    const instances = Array.from({ length: 20 }, (_, index) => (index < 3 ? healthy(500) : fast));
    const served = play({ instances, create, seconds: 30 });
    expect(shareOf(served, 0, 5) + shareOf(served, 1, 5) + shareOf(served, 2, 5)).toBeLessThan(0.01);
    expect(meanMs(served)).toBeLessThan(meanMs(play({ instances, create: turns, seconds: 30 })) / 4);
  });

  it("finds slow ones among more than it looks at in one pick", () => {
    const instances = Array.from({ length: 100 }, (_, index) => (index < 20 ? healthy(500) : fast));
    const served = play({ instances, create, rate: 1_000, seconds: 20 });
    const slow = served.filter(({ at, instance }) => at > 5_000 && instance < 20).length;
    expect(slow / served.length).toBeLessThan(0.02);
  });

  it("keeps a route that fails on one instance from taking that instance's other routes", () => {
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

  it("tells the routes that a call names apart", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(1) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) for (const path of ["/", "/x"]) answer(picker, clock, upstream, 10, 200, path);
    const request = testRequest({ path: "/x/1", options: { route: "/x/{id}/slow" } });
    const learner = picker.onAttempt?.(upstreams[0] as Upstream, request);
    learner?.onHead(localResponse(500));
    learner?.onEnd(undefined);
    for (let call = 0; call < 50; call++) expect(picker.pick(upstreams, request)).toBe(upstreams[1]);
    expect(sharesOf(picker, upstreams, 1_000, "/x/1")[0]).toBeGreaterThan(0.4);
  });

  it("sends a crowd that comes at once to all instances alike, whether they are known or not", () => {
    for (const isKnown of [false, true]) {
      const clock = manualClock();
      const picker = adaptive({ clock, random: seededRandom(3) });
      const upstreams = upstreamsOf(5);
      picker.update?.(upstreams);
      if (isKnown) for (const upstream of upstreams) answer(picker, clock, upstream, 10);
      for (let call = 0; call < 500; call++) {
        const picked = picker.pick(upstreams, testRequest()) as Upstream;
        picked.inFlight++;
        picker.onAttempt?.(picked, testRequest());
      }
      for (const { inFlight } of upstreams) expect(Math.abs(inFlight - 100)).toBeLessThan(isKnown ? 10 : 2);
    }
  });

  it("tries a new instance with one request, and gives it more when that was answered", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(4) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams.slice(0, 2));
    for (const upstream of upstreams.slice(0, 2)) answer(picker, clock, upstream, 10);
    picker.update?.(upstreams);
    const fresh = upstreams[2] as Upstream;
    expect(picker.pick(upstreams, testRequest())).toBe(fresh);
    fresh.inFlight++;
    expect(sharesOf(picker, upstreams, 100)[2]).toBe(0);
    fresh.inFlight--;
    answer(picker, clock, fresh, 5);
    expect(sharesOf(picker, upstreams, 100)[2]).toBe(1);
  });

  it("sees that an instance hangs before a single request has ended", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(5) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    for (const upstream of upstreams) answer(picker, clock, upstream, 10);
    const [hanging, busy] = upstreams as [Upstream, Upstream];
    hanging.inFlight = 1;
    busy.inFlight = 5;
    const learner = picker.onAttempt?.(hanging, testRequest());
    expect(picker.pick(upstreams, testRequest())).toBe(hanging);
    clock.time += 500;
    expect(picker.pick(upstreams, testRequest())).toBe(busy);
    // The caller gives up: what the instance would have taken is at least that.
    hanging.inFlight = 0;
    learner?.onEnd(new Error("the caller's own reason"));
    expect(picker.pick(upstreams, testRequest())).toBe(busy);
  });

  it("does not hold the time of a long body against an instance, but that it broke", () => {
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

  it("remembers who was slow across changes of the set", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(7) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    for (const [index, upstream] of upstreams.entries()) answer(picker, clock, upstream, index === 0 ? 500 : 10);
    picker.update?.(upstreams.slice(1));
    picker.update?.(upstreams);
    expect(sharesOf(picker, upstreams, 100)[0]).toBe(0);
    // Of a part of the set too, as a second attempt picks.
    expect(sharesOf(picker, [upstreams[2] as Upstream, upstreams[0] as Upstream], 100)).toEqual([1, 0]);
  });

  it("keeps services apart", () => {
    const clock = manualClock();
    const pickers = ["orders", "users"].map((service) => adaptive().forService?.(service, { clock, random: seededRandom(8) }) as Picker);
    const upstreams = upstreamsOf(2);
    for (const picker of pickers) picker.update?.(upstreams);
    for (const upstream of upstreams) for (const picker of pickers) answer(picker, clock, upstream, 10);
    answer(pickers[0] as Picker, clock, upstreams[0] as Upstream, 0, 503);
    expect(sharesOf(pickers[0] as Picker, upstreams, 100)[0]).toBe(0);
    expect(sharesOf(pickers[1] as Picker, upstreams, 1_000)[0]).toBeGreaterThan(0.4);
  });

  it("picks one of the list whatever clock, chance, latencies and endings are", () => {
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
});
