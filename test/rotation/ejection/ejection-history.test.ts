import { expect, it } from "vitest";
import { EjectionHistory } from "../../../src/rotation/ejection/ejection-history.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

it("an ejection counts one more than the last, and one less for each sweep without", async () => {
  const clock = virtualClock();
  const history = new EjectionHistory();
  expect(history.eject(clock, 10_000)).toBe(1);
  history.readmit(clock);
  await clock.advance(19_999);
  expect(history.eject(clock, 10_000)).toBe(2);
  await clock.advance(600_000);
  history.readmit(clock);
  expect(history.eject(clock, 10_000), "time spent out mends nothing").toBe(3);
  history.readmit(clock);
  await clock.advance(30_000);
  expect(history.eject(clock, 10_000)).toBe(2);
  history.readmit(clock);
  await clock.advance(1_000_000);
  expect([history.eject(clock, 10_000), history.total]).toEqual([1, 5]);
});
