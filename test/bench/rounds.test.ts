import { expect, test } from "vitest";
import { measureRounds } from "../../bench/rounds.ts";

/** Cases whose values come from a list, one for the round that warms up and one for each other round. */
async function measured(values: Readonly<Record<string, readonly number[]>>) {
  const rounds = Math.min(...Object.values(values).map((list) => list.length)) - 1;
  const cases = Object.entries(values).map(([name, list]) => {
    let at = 0;
    return [name, async () => list[at++] as number] as const;
  });
  return measureRounds("test", rounds, Object.fromEntries(cases));
}

test("what one thing adds is compared with what another adds, by the rounds, with the range that chance gives it", async () => {
  const noise = [0, 0, 40, 3, 90, 7, 1, 60, 2, 5];
  const found = await measured({
    bare: noise.map((each) => 100 + each),
    "bare, more": noise.map((each) => 120 + each),
    mesh: noise.map((each) => 200 + each),
    "mesh, more": noise.map((each) => 230 + each),
  });
  // The noise of a round is the same for all of them, and cancels.
  expect(found.differenceRatio(["mesh, more", "mesh"], ["bare, more", "bare"])).toEqual({ value: 1.5, low: 1.5, high: 1.5 });
});

test("the range is wide where the rounds disagree, and holds the figure", async () => {
  const found = await measured({
    bare: Array.from({ length: 10 }, () => 100),
    "bare, more": Array.from({ length: 10 }, () => 120),
    mesh: Array.from({ length: 10 }, () => 200),
    "mesh, more": [0, 205, 290, 210, 260, 221, 222, 219, 250, 208],
  });
  const { value, low, high } = found.differenceRatio(["mesh, more", "mesh"], ["bare, more", "bare"]);
  expect(value).toBeCloseTo(1.05);
  expect(low).toBeLessThan(0.7);
  expect(high).toBeGreaterThan(1.2);
  expect(low).toBeLessThan(value);
});
