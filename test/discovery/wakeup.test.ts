import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Wakeup } from "../../src/discovery/wakeup.ts";

describe("Wakeup", () => {
  it("ends every wait there is, and none that begins while it wakes", async () => {
    const wakeup = new Wakeup();
    const { signal } = new AbortController();
    const woken: string[] = [];
    const first = wakeup.wait(signal).then(() => woken.push("first"));
    const second = wakeup.wait(signal).then(() => woken.push("second"));
    wakeup.wake();
    const third = wakeup.wait(signal).then(() => woken.push("third"));
    await Promise.all([first, second]);
    expect(woken).toEqual(["first", "second"]);
    wakeup.wake();
    await third;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("ends a wait on abort and forgets it", async () => {
    const wakeup = new Wakeup();
    const controller = new AbortController();
    const waiting = wakeup.wait(controller.signal);
    expect(wakeup.waiting).toBe(1);
    controller.abort();
    await waiting;
    expect(wakeup.waiting).toBe(0);
    await wakeup.wait(controller.signal);
    expect(wakeup.waiting).toBe(0);
  });
});
