import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Cancellation } from "../../src/core/cancellation.ts";
import { fullJitter, sleep, sleepUnlessAborted, systemClock } from "../../src/core/clock.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

describe("sleep", () => {
  it("resolves when the time is over, and leaves no listener", async () => {
    const clock = virtualClock();
    const cancellation = new Cancellation();
    const removed = vi.spyOn(cancellation, "removeListener");
    let isOver = false;
    const sleeping = sleep(clock, 100, cancellation).then(() => {
      isOver = true;
    });
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await sleeping;
    expect(removed).toHaveBeenCalledOnce();
  });

  it("rejects with the reason at once when cancelled, and leaves no timer", async () => {
    const clock = virtualClock();
    const cancellation = new Cancellation();
    const sleeping = sleep(clock, 100, cancellation);
    cancellation.cancel("enough");
    await expect(sleeping).rejects.toBe("enough");
    expect(clock.pending).toEqual([]);
    await expect(sleep(clock, 100, cancellation)).rejects.toBe("enough");
    expect(clock.pending).toEqual([]);
  });
});

describe("sleepUnlessAborted", () => {
  it("keeps no process alive and leaves no listener", async () => {
    const clock = virtualClock();
    const { signal } = new AbortController();
    const sleeping = sleepUnlessAborted(clock, 50, signal);
    expect(clock.pending).toEqual([{ inMs: 50, keepsProcess: false }]);
    await clock.advance(50);
    await sleeping;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with the signal's reason, before or while it sleeps, and leaves no timer", async () => {
    const clock = virtualClock();
    const controller = new AbortController();
    const sleeping = sleepUnlessAborted(clock, 50, controller.signal);
    controller.abort("stop");
    await expect(sleeping).rejects.toBe("stop");
    await expect(sleepUnlessAborted(clock, 50, controller.signal)).rejects.toBe("stop");
    expect(clock.pending).toEqual([]);
  });
});

describe("systemClock", () => {
  afterEach(() => void vi.useRealTimers());

  it("does not fire at once what is further away than a timer of Node's reaches", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const set = vi.spyOn(globalThis, "setTimeout");
    systemClock.clearTimer(systemClock.setTimer(() => {}, Number.POSITIVE_INFINITY));
    expect(set).toHaveBeenCalledWith(expect.any(Function), 2 ** 31 - 1);
  });

  it("makes a timer that keeps no process alive when told so", () => {
    const kept = systemClock.setTimer(() => {}, 60_000) as NodeJS.Timeout;
    const left = systemClock.setTimer(() => {}, 60_000, false) as NodeJS.Timeout;
    expect([kept.hasRef(), left.hasRef()]).toEqual([true, false]);
    systemClock.clearTimer(kept);
    systemClock.clearTimer(left);
  });
});

describe("a pause with full jitter", () => {
  it("is anything up to a bound that doubles with each failure, up to its cap", () => {
    const bounds = { baseMs: 100, capMs: 1_000 };
    expect([0, 1, 2, 3, 4, 5_000].map((failures) => fullJitter(() => 1, failures, bounds))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(fullJitter(() => 0, 3, bounds)).toBe(0);
    expect(fullJitter(() => 0.5, 3, bounds)).toBe(400);
  });

  it("stays a number where its cap is none", () => {
    expect(fullJitter(() => 1, 5_000, { baseMs: 1, capMs: Number.POSITIVE_INFINITY })).toBe(2 ** 20);
  });
});
