import fc from "fast-check";
import { expect, it } from "vitest";
import { DueQueue } from "../../../src/rotation/health/due-queue.ts";

it("gives out items in the order of their times, and of their coming where these are the same", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const queue = new DueQueue<{ readonly dueAt: number; readonly index: number }>();
      const items = times.map((dueAt, index) => ({ dueAt, index }));
      for (const item of items) queue.add(item);
      const taken = items.map(() => queue.takeDue(20));
      expect(taken).toEqual([...items].sort((one, other) => one.dueAt - other.dueAt || one.index - other.index));
      expect([queue.next, queue.takeDue(20)]).toEqual([undefined, undefined]);
    }),
  );
});

it("keeps what is not due, and drops what is asked for", () => {
  const queue = new DueQueue<{ readonly dueAt: number }>();
  for (const dueAt of [30, 10, 20]) queue.add({ dueAt });
  expect([queue.takeDue(9), queue.next, queue.takeDue(10)]).toEqual([undefined, { dueAt: 10 }, { dueAt: 10 }]);
  queue.keep(({ dueAt }) => dueAt > 20);
  expect(queue.next).toEqual({ dueAt: 30 });
});
