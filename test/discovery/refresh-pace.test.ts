import { describe, expect, it } from "vitest";
import { RefreshPace } from "../../src/discovery/refresh-pace.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

function rig(random: () => number = () => 0.999) {
  const clock = virtualClock();
  const asked: number[] = [];
  const pace = new RefreshPace(clock, random, () => asked.push(Math.round(clock.now() / 100) / 10));
  const hintFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      pace.hint();
      await clock.advance(50);
    }
  };
  return { clock, pace, asked, hintFor };
}

describe("hints of failing calls", () => {
  it("become a question at once, then every five seconds, ten, twenty, thirty", async () => {
    const { asked, hintFor } = rig();
    await hintFor(100_000);
    expect(asked.map((at, index) => Math.round(at - (asked[index - 1] ?? 0)))).toEqual([0, 5, 10, 20, 30, 30]);
  });

  it("begin with five seconds again after a change", async () => {
    const { asked, pace, hintFor } = rig();
    await hintFor(36_000);
    pace.changed();
    const before = asked.length;
    await hintFor(36_000);
    expect(asked.slice(before).map((at, index) => Math.round(at - (index === 0 ? 36 : (asked[before + index - 1] ?? 0))))).toEqual([
      5, 5, 10,
    ]);
  });

  it("are kept until their time, one for all, and none is asked without one", async () => {
    const { clock, asked, pace } = rig();
    pace.hint();
    await clock.advance(1_000);
    for (let times = 0; times < 100; times++) pace.hint();
    await clock.advance(60_000);
    expect(asked).toHaveLength(2);
    expect(clock.pending).toEqual([]);
  });

  it("are spread, so that clients that lose an instance together do not ask together", async () => {
    const times = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const { asked, hintFor, pace } = rig(seededRandom(seed));
      await hintFor(6_000);
      times.add(asked[1] as number);
      pace.stop();
    }
    expect(times.size).toBeGreaterThan(8);
  });

  it("are nothing any more once it has stopped, and leave no timer", async () => {
    const { clock, pace, asked } = rig();
    pace.hint();
    pace.stop();
    pace.hint();
    await clock.advance(60_000);
    expect([asked, clock.pending]).toEqual([[], []]);
  });
});
