import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Notifier } from "../../src/discovery/notifier.ts";

describe("Notifier", () => {
  it("ends every wait there is, and none that begins while it notifies", async () => {
    const notifier = new Notifier();
    const { signal } = new AbortController();
    const woken: string[] = [];
    const first = notifier.wait(signal).then(() => woken.push("first"));
    const second = notifier.wait(signal).then(() => woken.push("second"));
    notifier.notify();
    const third = notifier.wait(signal).then(() => woken.push("third"));
    await Promise.all([first, second]);
    expect(woken).toEqual(["first", "second"]);
    notifier.notify();
    await third;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("ends a wait on abort and forgets it", async () => {
    const notifier = new Notifier();
    const controller = new AbortController();
    const waiting = notifier.wait(controller.signal);
    expect(notifier.waiting).toBe(1);
    controller.abort();
    await waiting;
    expect(notifier.waiting).toBe(0);
    await notifier.wait(controller.signal);
    expect(notifier.waiting).toBe(0);
  });
});
