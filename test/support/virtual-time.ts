import { afterEach, beforeEach, expect, vi } from "vitest";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";

const made: { dispose(): void }[] = [];

/** The time of what is made in a test; fresh in each. */
export let clock: VirtualClock;

/** Begins a time of its own in the middle of a test. */
export function freshClock(): void {
  clock = virtualClock();
}

/** Gives each test of a file a clock, disposes at its end what {@link disposedAtEnd} was given, and wants no timer left. */
export function inVirtualTime(): void {
  beforeEach(() => {
    freshClock();
    // For counting alone: opossum's own timers, which no clock moves.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    for (const each of made.splice(0)) each.dispose();
    expect([clock.pending, vi.getTimerCount()], "timers left").toEqual([[], 0]);
    vi.useRealTimers();
  });
}

/** Has something disposed at the end of the test. */
export function disposedAtEnd<Made extends { dispose(): void }>(each: Made): Made {
  made.push(each);
  return each;
}
