import { describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { fallback } from "../../../src/discovery/combined/fallback.ts";
import { located } from "../../../src/discovery/combined/located.ts";
import { union } from "../../../src/discovery/combined/union.ts";
import type { Discovery } from "../../../src/discovery/discovery.ts";
import { serviceWatch } from "../../../src/discovery/service-watch.ts";
import type { WatcherOptions } from "../../../src/discovery/watcher.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

const endpoint = (id: string): Endpoint => ({ id, host: "10.0.0.1", port: Number(id.replaceAll(/\D/g, "") || 1) });
const [a1, b2, c3, d4] = ["a1", "b2", "c3", "d4"].map(endpoint) as [Endpoint, Endpoint, Endpoint, Endpoint];

/** A source that counts its questions, and answers each by `answer`. It would go on for ever. */
function source(answer: () => readonly Endpoint[] | Promise<readonly Endpoint[]>) {
  const seen = { questions: 0, open: 0, hints: 0 };
  const discovery: Discovery = {
    async *watch(_service, signal) {
      seen.questions++;
      seen.open++;
      try {
        yield await answer();
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      } finally {
        seen.open--;
      }
    },
    refresh: () => void seen.hints++,
  };
  return { seen, discovery };
}

/** A watch by uses in virtual time, in which the number of pending timers can be seen. */
async function started(given: Discovery | ((clock: Clock) => Discovery), options: Partial<WatcherOptions> = {}, refreshAfterMs = 10_000) {
  const clock = virtualClock();
  const timers = new Set<unknown>();
  const counting = {
    ...clock,
    setTimer(callback: () => void, delayMs: number, keepsProcess?: boolean) {
      const timer = clock.setTimer(
        () => {
          timers.delete(timer);
          callback();
        },
        delayMs,
        keepsProcess,
      );
      timers.add(timer);
      return timer;
    },
    clearTimer(timer: unknown) {
      timers.delete(timer);
      clock.clearTimer(timer);
    },
  };
  const sets: string[] = [];
  const errors: unknown[] = [];
  const { watcher, uses } = serviceWatch(
    { watch: "on-use", refreshAfterMs },
    {
      service: "orders",
      discovery: typeof given === "function" ? given(counting) : given,
      clock: counting,
      random: () => 0.5,
      onUpdate: ({ endpoints }) => void sets.push(endpoints.map(({ id }) => id).join()),
      onError: (error) => void errors.push(error),
      ...options,
    },
  );
  watcher.start();
  onTestFinished(async () => {
    const stopped = watcher.stop();
    await clock.advance(2_000);
    await stopped;
  });
  await clock.advance(20);
  return { watcher, clock, timers, sets, errors, use: () => uses?.used() };
}

describe("a watch by uses", () => {
  it("asks once at first, and leaves no timer and no open question", async () => {
    const { seen, discovery } = source(() => [a1]);
    const { timers, sets, clock } = await started(discovery);
    await clock.advance(600_000);
    expect([sets, seen.questions, seen.open, timers.size]).toEqual([["a1"], 1, 0, 0]);
  });

  it("asks again beside the first use after the time, and not at the others", async () => {
    const { seen, discovery } = source(() => [a1]);
    const { use, clock, timers, watcher } = await started(discovery);
    for (let ms = 0; ms < 9_000; ms += 1_000) {
      use();
      await clock.advance(1_000);
    }
    expect(seen.questions).toBe(1);
    await clock.advance(600_000);
    use();
    use();
    await clock.advance(20);
    use();
    await clock.advance(20);
    expect([seen.questions, seen.hints, seen.open, timers.size]).toEqual([2, 1, 0, 0]);
    expect(watcher.ageMs).toBeLessThan(100);
  });

  it("keeps the last endpoints while the source fails, and asks with growing pauses as there are uses", async () => {
    let isDown = false;
    const { seen, discovery } = source(() => {
      if (isDown) throw new Error("down");
      return [a1];
    });
    const { use, clock, sets, errors, timers, watcher } = await started(discovery);
    isDown = true;
    await clock.advance(60_000);
    expect(errors).toHaveLength(0);
    for (let call = 0; call < 600; call++) {
      use();
      await clock.advance(100);
    }
    expect(sets).toEqual(["a1"]);
    expect(watcher.failingMs).toBeGreaterThan(50_000);
    expect(seen.questions).toBeGreaterThan(10);
    expect(seen.questions).toBeLessThan(120);
    expect(timers.size).toBe(0);
    isDown = false;
    await clock.advance(10_000);
    use();
    await clock.advance(20);
    expect([sets, watcher.lastError]).toEqual([["a1", "a1"], undefined]);
  });

  it("tries again by itself only while a call waits for the first answer", async () => {
    const { seen, discovery } = source(() => {
      throw new Error("down");
    });
    const { watcher, clock, timers, use } = await started(discovery);
    await clock.advance(5_000);
    const { questions } = seen;
    expect(questions).toBeLessThan(6);
    expect(timers.size).toBe(0);
    use();
    watcher.onFirstAnswer(() => {});
    await clock.advance(5_000);
    expect(seen.questions).toBeGreaterThan(questions + 1);
  });

  it("gives up a question that was open while the process stood still", async () => {
    let isHanging = false;
    const { seen, discovery } = source(() => (isHanging ? new Promise(() => {}) : [a1]));
    const { use, clock, sets } = await started(discovery);
    isHanging = true;
    await clock.advance(20_000);
    use();
    await clock.advance(20);
    use();
    expect(seen.questions).toBe(2);
    isHanging = false;
    await clock.advance(600_000);
    use();
    await clock.advance(20);
    expect([seen.questions, sets]).toEqual([3, ["a1", "a1"]]);
  });

  it("confirms by uses what the source has left out", async () => {
    let listed: readonly Endpoint[] = [a1, b2, c3, d4];
    const { discovery } = source(() => listed);
    const { use, clock, sets, timers } = await started(discovery);
    listed = [];
    for (let call = 0; call < 3; call++) {
      await clock.advance(11_000);
      use();
      await clock.advance(20);
    }
    expect(sets.at(-1)).toBe("a1,b2,c3,d4");
    await clock.advance(11_000);
    expect(timers.size).toBe(0);
    use();
    await clock.advance(20);
    expect(sets.at(-1)).toBe("");
  });

  it("uses the last good endpoints first, and asks beside them", async () => {
    let answer: (endpoints: readonly Endpoint[]) => void = () => {};
    const { discovery } = source(() => new Promise<readonly Endpoint[]>((resolve) => (answer = resolve)));
    const lastGood = { load: async () => ({ endpoints: [a1], ageMs: 7 }), save: () => {} };
    const { sets, clock } = await started(discovery, { lastGood });
    expect(sets).toEqual(["a1"]);
    answer([b2]);
    await clock.advance(20);
    expect(sets.at(-1)).toContain("b2");
  });

  it("has calls wait for the answer where old endpoints cannot be reached, until it is there or has failed", async () => {
    let answer: (endpoints: readonly Endpoint[] | Promise<never>) => void = () => {};
    let isFirst = true;
    const { discovery } = source(() => {
      if (!isFirst) return new Promise<readonly Endpoint[]>((resolve) => (answer = resolve));
      isFirst = false;
      return [a1];
    });
    const { watcher, use, clock, sets } = await started(discovery);
    // Fresh: one instance has ended, which concerns no other call.
    watcher.refresh();
    expect(watcher.isRenewing).toBe(false);
    await clock.advance(600_000);
    use();
    watcher.refresh();
    expect(watcher.isRenewing).toBe(true);
    const woken: string[] = [];
    watcher.onFirstAnswer(() => woken.push("answer"));
    answer([b2]);
    await clock.advance(20);
    expect([watcher.isRenewing, woken, sets.at(-1)]).toEqual([false, ["answer"], "b2"]);
    await clock.advance(600_000);
    use();
    watcher.refresh();
    watcher.onFirstAnswer(() => woken.push("failure"));
    answer(Promise.reject(new Error("down")));
    await clock.advance(20);
    expect([watcher.isRenewing, woken]).toEqual([false, ["answer", "failure"]]);
  });

  it("of sources together asks each of them, and a source that fails takes nothing away", async () => {
    let isDown = false;
    const [one, two] = [
      source(() => {
        if (isDown) throw new Error("down");
        return [a1];
      }),
      source(() => [b2]),
    ] as const;
    const { use, clock, sets, timers } = await started((clock) =>
      union([located(one.discovery, { priority: 0 }), two.discovery], { clock }),
    );
    expect(sets.at(-1)).toBe("a1,b2");
    await clock.advance(60_000);
    expect([one.seen.open, two.seen.open, timers.size]).toEqual([0, 0, 0]);
    isDown = true;
    use();
    await clock.advance(20);
    expect([one.seen.questions, two.seen.questions]).toEqual([2, 2]);
    expect(sets.at(-1)).toBe("a1,b2");
    await clock.advance(600_000);
    expect([one.seen.questions, two.seen.questions, timers.size]).toEqual([2, 2, 0]);
  });

  it("of a fallback uses the second source while the first fails, without asking between uses", async () => {
    let isDown = true;
    const first = source(() => {
      if (isDown) throw new Error("down");
      return [a1];
    });
    const second = source(() => [b2]);
    const { use, clock, sets, timers } = await started((clock) => fallback(first.discovery, second.discovery, { switchAfterMs: 5, clock }));
    await clock.advance(100);
    expect(sets.at(-1)).toBe("b2");
    await clock.advance(5_000);
    const { questions } = first.seen;
    await clock.advance(600_000);
    expect([first.seen.questions, timers.size]).toEqual([questions, 0]);
    isDown = false;
    use();
    await clock.advance(20);
    expect(sets.at(-1)).toBe("a1");
  });

  it("ends with an open question in a second", async () => {
    const { discovery } = source(() => new Promise(() => {}));
    const { watcher, clock } = await started(discovery);
    const stopped = watcher.stop();
    await clock.advance(1_100);
    await stopped;
  });
});
