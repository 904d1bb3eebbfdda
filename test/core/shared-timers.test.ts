import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { SharedTimer, setSharedTimer } from "../../src/core/shared-timers.ts";
import { until } from "../support/until.ts";

/** Timers of Node's that keep this process alive. */
function nodeTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

function set(callback: () => void, delayMs: number): SharedTimer {
  return setSharedTimer(callback, delayMs) as SharedTimer;
}

// A duration for each test: what one leaves of a list is none of the next one's.
describe("a shared timer", () => {
  afterEach(() => void vi.useRealTimers());

  it("fires once, not before its time, those of a duration in the order they were set", async () => {
    const startedAt = performance.now();
    const fired: (readonly [string, number])[] = [];
    const note = (name: string) => () => void fired.push([name, performance.now() - startedAt]);
    set(note("a"), 31);
    set(note("b"), 31);
    set(note("soon"), 5.3);
    set(note("c"), 31);
    await until("all have fired", () => fired.length === 4);
    expect(fired.map(([name]) => name)).toEqual(["soon", "a", "b", "c"]);
    for (const [name, ms] of fired) expect(ms).toBeGreaterThanOrEqual(name === "soon" ? 5.3 : 31);
  });

  it("does not fire when it was cleared, wherever it stands, and clearing it again is harmless", async () => {
    const fired: string[] = [];
    const timers = ["a", "b", "c", "d", "e"].map((name) => set(() => void fired.push(name), 12));
    for (const index of [2, 0, 4, 2]) timers[index]?.clear();
    expect(timers.map((timer) => timer.hasRef())).toEqual([false, true, false, true, false]);
    await until("the rest has fired", () => fired.length === 2);
    timers[1]?.clear();
    expect([fired, timers[1]?.hasRef()]).toEqual([["b", "d"], false]);
  });

  it("costs one timer of Node's for all of its duration, which keeps the process alive only while one of them is set", () => {
    const before = nodeTimers();
    const timers = Array.from({ length: 100 }, () => set(() => {}, 60_001));
    expect(nodeTimers()).toBe(before + 1);
    for (const timer of timers) timer.clear();
    expect(nodeTimers()).toBe(before);
    const again = set(() => {}, 60_001);
    expect(nodeTimers()).toBe(before + 1);
    again.clear();
    expect(nodeTimers()).toBe(before);
  });

  it("fires when it was set while an earlier one, cleared since, had the list's timer running", async () => {
    set(() => {}, 40).clear();
    const startedAt = performance.now();
    await until("half of the time is over", () => performance.now() - startedAt > 20);
    const setAt = performance.now();
    const firedAt = await new Promise<number>((resolve) => set(() => resolve(performance.now()), 40));
    expect(firedAt - setAt).toBeGreaterThanOrEqual(40);
  });

  it("may be set, and others cleared, by a callback of its own list", async () => {
    const fired: string[] = [];
    set(() => {
      fired.push("first");
      second.clear();
      set(() => void fired.push("third"), 9);
    }, 9);
    const second = set(() => void fired.push("second"), 9);
    await until("the last has fired", () => fired.includes("third"));
    expect(fired).toEqual(["first", "third"]);
  });

  it("is none where a test has replaced the timers, whose clock the mesh's follows then", async () => {
    const real = set(() => {}, 60_002);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let fired = 0;
    expect(setSharedTimer(() => {}, 60_002)).toBeUndefined();
    const fake = systemClock.setTimer(() => fired++, 60_002);
    systemClock.clearTimer(systemClock.setTimer(() => fired++, 60_002));
    vi.advanceTimersByTime(60_002);
    expect([fired, fake instanceof SharedTimer]).toEqual([1, false]);
    vi.useRealTimers();
    expect(systemClock.setTimer(() => {}, 60_002)).toBeInstanceOf(SharedTimer);
    real.clear();
  });

  it("is none beyond 64 durations at a time", () => {
    const timers = Array.from({ length: 200 }, (_, index) => setSharedTimer(() => {}, 70_000 + index));
    expect(timers.filter((timer) => timer !== undefined).length).toBeLessThanOrEqual(64);
    const own = systemClock.setTimer(() => {}, 70_199);
    expect(own).not.toBeInstanceOf(SharedTimer);
    systemClock.clearTimer(own);
    for (const timer of timers) timer?.clear();
  });
});

describe("a process with shared timers", () => {
  it("waits for those that are set, outlives a callback that throws, and shows a callback no context of a caller's", async () => {
    const program = `
      import { AsyncLocalStorage } from "node:async_hooks";
      import { setSharedTimer } from ${JSON.stringify(new URL("../../src/core/shared-timers.ts", import.meta.url).href)};
      const storage = new AsyncLocalStorage();
      const seen = [];
      process.on("uncaughtException", (error) => seen.push(error.message));
      setSharedTimer(() => seen.push("cleared"), 60_000).clear();
      storage.run("a caller", () => {
        setSharedTimer(() => { throw new Error("thrown"); }, 20);
        setSharedTimer(() => seen.push("after it", storage.getStore() ?? "no store"), 20);
      });
      process.on("exit", () => console.log(JSON.stringify({ seen, ms: performance.now() })));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { timeout: 20_000 });
    const { seen, ms } = JSON.parse(stdout) as { seen: unknown; ms: number };
    expect(seen).toEqual(["thrown", "after it", "no store"]);
    expect(ms).toBeLessThan(20_000);
  });
});
