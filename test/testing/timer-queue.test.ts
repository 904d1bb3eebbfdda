import fc from "fast-check";
import { expect, it } from "vitest";
import { type QueuedTimer, TimerQueue } from "../../src/testing/timer-queue.ts";

const ignore = () => {};

it("fires in the order of time, of two timers for the same time the first one set, whatever is removed", () => {
  // Mostly additions, so that the heap becomes deep enough for removals from its middle.
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 1_000 }) }) },
    { weight: 3, arbitrary: fc.record({ remove: fc.nat(150) }) },
    { weight: 1, arbitrary: fc.record({ take: fc.constant(true) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const queue = new TimerQueue();
      // The reference: a list that is searched.
      const model: QueuedTimer[] = [];
      const all: QueuedTimer[] = [];
      const first = () =>
        model.reduce<QueuedTimer | undefined>((best, each) => (best === undefined || each.at < best.at ? each : best), undefined);
      const drop = (timer: QueuedTimer | undefined) => {
        const index = model.indexOf(timer as QueuedTimer);
        if (index >= 0) model.splice(index, 1);
      };
      for (const each of steps) {
        if ("add" in each) {
          const timer = queue.add(each.add, ignore, true);
          model.push(timer);
          all.push(timer);
        } else if ("remove" in each) {
          const timer = all[each.remove];
          queue.remove(timer);
          drop(timer);
        } else {
          const next = queue.first;
          expect(next).toBe(first());
          queue.remove(next);
          drop(next);
        }
        expect(queue.size).toBe(model.length);
        expect(queue.first).toBe(first());
      }
      const inOrder = [...model].sort((one, other) => one.at - other.at);
      expect(queue.sorted()).toEqual(inOrder);
      for (const timer of inOrder) {
        expect(queue.first).toBe(timer);
        queue.remove(timer);
      }
    }),
  );
});

it("ignores the removal of foreign or removed timers", () => {
  const queue = new TimerQueue();
  const other = new TimerQueue().add(1, ignore, true);
  const timer = queue.add(1, ignore, true);
  for (const none of [undefined, {}, other]) queue.remove(none);
  expect(queue.size).toBe(1);
  queue.remove(timer);
  queue.remove(timer);
  expect(queue.size).toBe(0);
});
