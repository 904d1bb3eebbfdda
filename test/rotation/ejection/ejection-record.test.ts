import { expect, it } from "vitest";
import { EjectionRecord } from "../../../src/rotation/ejection/ejection-record.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

it("an ejection counts one more than the last, and one less for each sweep without", async () => {
  const clock = virtualClock();
  const record = new EjectionRecord();
  expect(record.eject(clock, 10_000)).toBe(1);
  record.readmit(clock);
  await clock.advance(19_999);
  expect(record.eject(clock, 10_000)).toBe(2);
  await clock.advance(600_000);
  record.readmit(clock);
  expect(record.eject(clock, 10_000), "time spent out mends nothing").toBe(3);
  record.readmit(clock);
  await clock.advance(30_000);
  expect(record.eject(clock, 10_000)).toBe(2);
  record.readmit(clock);
  await clock.advance(1_000_000);
  expect([record.eject(clock, 10_000), record.total]).toEqual([1, 5]);
});
