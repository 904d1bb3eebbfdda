import { describe, expect, it } from "vitest";
import type { PickAccount, Picker, PickerView } from "../../../src/balancer/picker.ts";
import { statisticsOf, type Upstream } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { adaptive } from "../../../src/index.ts";
import { seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";
import { manualClock } from "../scenario.ts";

type Clock = ReturnType<typeof manualClock>;

function upstreamsOf(count: number): Upstream[] {
  return Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.${index >> 8}.${index & 255}` }));
}

function answer(picker: Picker, clock: Clock, upstream: Upstream, ms: number, status = 200, path = "/"): void {
  const learner = picker.onAttempt?.(upstream, testRequest({ path }));
  clock.time += ms;
  learner?.onHead(localResponse(status));
  learner?.onEnd(undefined);
}

function figuresOf(account: PickAccount | undefined, upstream: Upstream): PickerView | undefined {
  return account?.compared?.find((each) => each.upstream === upstream)?.figures;
}

/** Random instances that have answered at random, some of them with failures, of which some are busy. */
function scene(seed: number) {
  const random = seededRandom(seed);
  const clock = manualClock();
  const picker = adaptive({ clock, random });
  const upstreams = upstreamsOf(2 + Math.floor(random() * 6));
  picker.update?.(upstreams);
  const base = upstreams.map(() => 2 + random() ** 2 * 40);
  for (let call = 0; call < 150; call++) {
    const at = Math.floor(random() * upstreams.length);
    answer(picker, clock, upstreams[at] as Upstream, (base[at] as number) * (0.7 + 0.6 * random()), random() < 0.05 * at ? 500 : 200);
    picker.pick(upstreams, testRequest());
  }
  for (const upstream of upstreams) {
    for (let open = Math.floor(random() * 4); open > 0; open--) {
      picker.onAttempt?.(upstream, testRequest());
      statisticsOf(upstream).inFlight++;
    }
    clock.time += random() * 5;
  }
  return { picker, clock, upstreams };
}

describe("the account of a pick by adaptive", () => {
  it("has the costs that were explained before, and the one of the lowest is picked, or an equal in turn, or one that is due for a try", () => {
    const reasons = new Set<string>();
    for (let seed = 1; seed <= 150; seed++) {
      const { picker, upstreams } = scene(seed);
      const request = testRequest();
      const before = upstreams.map((upstream) => picker.explain?.(upstream) as PickerView);
      const picked = picker.pick(upstreams, request) as Upstream;
      const account = picker.explainPick?.(upstreams, request, picked) as PickAccount;
      expect(account.compared?.map(({ upstream }) => upstream)).toEqual(upstreams);
      for (const [index, upstream] of upstreams.entries()) {
        const { cost, latencyMs, waitingMs, load, penaltyMs } = figuresOf(account, upstream) as Record<string, number>;
        expect({ cost, latencyMs, waitingMs, load, penaltyMs }).toEqual({
          cost: before[index]?.["cost"],
          latencyMs: before[index]?.["latencyMs"],
          waitingMs: before[index]?.["waitingMs"],
          load: before[index]?.["load"],
          penaltyMs: before[index]?.["penaltyMs"],
        });
        expect(cost).toBeCloseTo(((latencyMs as number) + (waitingMs as number)) * (load as number) + (penaltyMs as number), 6);
      }
      reasons.add(account.reason.replace(/\d+(\.\d+)?/g, "N"));
      const costs = upstreams.map((upstream) => figuresOf(account, upstream)?.["cost"] as number);
      const cheapest = upstreams[costs.indexOf(Math.min(...costs))] as Upstream;
      if (account.reason.startsWith("a try")) {
        expect(before[upstreams.indexOf(picked)]?.["avoided"] ?? "next try now").toContain("next try now");
      } else if (account.reason.startsWith("the lowest cost")) {
        expect(picked).toBe(cheapest);
      } else {
        const owed = upstreams.map((upstream) => figuresOf(account, upstream)?.["owed"] as number | undefined);
        const least = figuresOf(account, cheapest)?.["load"] as number;
        expect(owed[upstreams.indexOf(cheapest)]).toBeDefined();
        expect(owed[upstreams.indexOf(picked)]).toBe(Math.max(...owed.filter((each) => each !== undefined)));
        expect(figuresOf(account, picked)?.["load"]).toBeLessThanOrEqual(least + 1e-3 * least + (picked.inFlight === 0 ? 99 : 0));
      }
    }
    expect(reasons.size).toBeGreaterThanOrEqual(3);
  });

  it("tells of a try why the instance was avoided", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(3) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    for (let call = 0; call < 60; call++) {
      answer(picker, clock, upstreams[call % 3] as Upstream, 5, call % 3 === 0 ? 500 : 200);
      picker.pick(upstreams, testRequest());
    }
    clock.time += 11_000;
    for (let call = 0; call < 200; call++) {
      const request = testRequest();
      const picked = picker.pick(upstreams, request) as Upstream;
      const account = picker.explainPick?.(upstreams, request, picked);
      answer(picker, clock, picked, 5);
      if (picked !== upstreams[0] || account?.reason.startsWith("owed")) continue;
      expect(account?.reason).toMatch(/^a try of one that is in trouble: fails \d+ %$/);
      expect(account?.compared).toHaveLength(3);
      return;
    }
    expect.unreachable("the failing one was never tried");
  });

  it("has those of a long list that were drawn", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(4) });
    const upstreams = upstreamsOf(1_000);
    picker.update?.(upstreams);
    const picked = picker.pick(upstreams, testRequest()) as Upstream;
    const account = picker.explainPick?.(upstreams, testRequest(), picked);
    expect(account?.compared).toHaveLength(10);
    expect(account?.compared?.some(({ upstream }) => upstream === picked)).toBe(true);
  });

  it("is none where the pick was of another list, or of a picker around this one", () => {
    const picker = adaptive({ random: seededRandom(5) });
    const [list, other] = [upstreamsOf(3), upstreamsOf(2)];
    picker.update?.(list);
    const picked = picker.pick(list, testRequest()) as Upstream;
    expect(picker.explainPick?.(other, testRequest(), other[0] as Upstream)).toBeUndefined();
    expect(picker.explainPick?.(list, testRequest(), other[0] as Upstream)).toBeUndefined();
    expect(picker.explainPick?.(list, testRequest(), picked)).toBeDefined();
    expect(picker.explainPick?.([picked], testRequest(), picked)).toEqual({ reason: "the only candidate" });
  });
});

describe("what adaptive explains", () => {
  it("stays while retries pick from what is left of the list", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(6) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    const [failing] = upstreams as [Upstream, ...Upstream[]];
    for (let call = 0; call < 30; call++) {
      answer(picker, clock, upstreams[call % 3] as Upstream, 5, call % 3 === 0 ? 500 : 200);
      picker.pick(upstreams, testRequest());
    }
    picker.pick(upstreams.slice(1), testRequest({ tried: [failing] }));
    expect(picker.explain?.(failing)).toMatchObject({ avoided: expect.stringMatching(/^fails \d+ %, next try/), meant: 0 });
    expect(picker.avoids?.(failing)).toBe(true);
    expect(picker.avoids?.(upstreams[1] as Upstream)).toBe(false);
  });

  it("says of one that fails a little more than the others only that it is meant to have less", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(9) });
    const upstreams = upstreamsOf(3);
    picker.update?.(upstreams);
    for (let call = 0; call < 600; call++) {
      answer(picker, clock, upstreams[call % 3] as Upstream, 40, call === 591 ? 500 : 200);
      if (call < 598) picker.pick(upstreams, testRequest());
    }
    for (let more = 0; more < 6_000 && (picker.explain?.(upstreams[0] as Upstream)["penaltyMs"] as number) > 40; more++) clock.time += 10;
    const view = picker.explain?.(upstreams[0] as Upstream) as PickerView;
    expect(view["penaltyMs"]).toBeGreaterThan(0);
    expect(view).not.toHaveProperty("avoided");
    expect(view["meant"]).toBeGreaterThan(0.05);
    expect(view["meant"]).toBeLessThan(0.33);
    expect(picker.avoids?.(upstreams[0] as Upstream)).toBe(false);
  });

  it("is of each of several lists", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(7) });
    const [near, far] = [upstreamsOf(3), upstreamsOf(3)];
    for (const list of [near, far]) picker.update?.(list);
    for (let call = 0; call < 60; call++) {
      const list = call % 2 === 0 ? near : far;
      const at = Math.floor(call / 2) % 3;
      answer(picker, clock, list[at] as Upstream, 5, at === 0 ? 503 : 200);
      picker.pick(list, testRequest());
    }
    for (const list of [near, far]) {
      expect(picker.explain?.(list[0] as Upstream)).toMatchObject({ avoided: expect.stringMatching(/^fails/), meant: 0 });
      expect(picker.explain?.(list[1] as Upstream)["meant"]).toBeCloseTo(0.5, 5);
    }
  });

  it("has the cost of the last pick's route, and says where another one fails", () => {
    const clock = manualClock();
    const picker = adaptive({ clock, random: seededRandom(8) });
    const upstreams = upstreamsOf(2);
    picker.update?.(upstreams);
    const [failing, good] = upstreams as [Upstream, Upstream];
    for (let call = 0; call < 20; call++) {
      answer(picker, clock, good, 5, 200, "/a/1");
      answer(picker, clock, good, 5, 200, "/b/1");
      answer(picker, clock, failing, 5, 200, "/a/1");
      answer(picker, clock, failing, 5, 500, "/b/1");
      picker.pick(upstreams, testRequest({ path: "/b/1" }));
    }
    expect(picker.explain?.(failing)["avoided"]).toMatch(/^fails \d+ %, next try/);
    picker.pick(upstreams, testRequest({ path: "/a/1" }));
    const view = picker.explain?.(failing) as PickerView;
    expect(view["avoided"]).toMatch(/^fails \d+ % on one of its routes, next try/);
    expect(view["penaltyMs"]).toBe(0);
  });
});
