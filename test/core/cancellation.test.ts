import { describe, expect, it } from "vitest";
import { Cancellation } from "../../src/core/cancellation.ts";

describe("Cancellation", () => {
  it("tells every listener the reason, in the order they were added, once", () => {
    const cancellation = new Cancellation();
    const told: unknown[] = [];
    for (const name of ["a", "b", "c"]) cancellation.onCancel((reason) => told.push([name, reason]));
    cancellation.cancel("first");
    cancellation.cancel("second");
    expect(told).toEqual([
      ["a", "first"],
      ["b", "first"],
      ["c", "first"],
    ]);
    expect(cancellation.reason).toBe("first");
  });

  it("keeps that order when the first has been removed", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    const first = () => told.push("a");
    cancellation.onCancel(first);
    cancellation.onCancel(() => told.push("b"));
    cancellation.removeListener(first);
    cancellation.onCancel(() => told.push("c"));
    cancellation.cancel(undefined);
    expect(told).toEqual(["b", "c"]);
  });

  it("tells a listener that comes late at once", () => {
    const cancellation = new Cancellation();
    cancellation.cancel("gone");
    let told: unknown;
    cancellation.onCancel((reason) => {
      told = reason;
    });
    expect(told).toBe("gone");
  });

  it("forgets listeners, wherever they stand, and takes one it does not know", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    const listeners = ["a", "b", "c"].map((name) => () => void told.push(name));
    for (const listener of listeners) cancellation.onCancel(listener);
    for (const listener of [listeners[1], listeners[0], () => {}]) cancellation.removeListener(listener as () => void);
    cancellation.cancel(undefined);
    expect(told).toEqual(["c"]);
  });

  it("takes objects for listeners, other cancellations among them, in the same order", () => {
    const cancellation = new Cancellation();
    const below = new Cancellation();
    const told: unknown[] = [];
    const handler = { handleCancel: (reason: unknown) => void told.push(["object", reason]) };
    const gone = { handleCancel: () => void told.push("gone") };
    for (const listener of [handler, gone, below]) cancellation.onCancel(listener);
    below.onCancel((reason) => told.push(["below", reason]));
    cancellation.removeListener(gone);
    cancellation.cancel("enough");
    cancellation.onCancel(handler);
    expect(told).toEqual([
      ["object", "enough"],
      ["below", "enough"],
      ["object", "enough"],
    ]);
  });

  it("gives a real signal, made before or after the cancellation, with the reason", () => {
    const before = new Cancellation();
    const { signal } = before;
    before.cancel("one");
    const after = new Cancellation();
    after.cancel("two");
    expect([signal.aborted, signal.reason, after.signal.aborted, after.signal.reason]).toEqual([true, "one", true, "two"]);
    expect(before.signal).toBe(signal);
  });
});
