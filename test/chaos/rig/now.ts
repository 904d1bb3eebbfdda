import { until as untilWithin } from "../../support/until.ts";

/** Milliseconds of the machine's monotonic clock, which all processes of a run share: times of different processes can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** Waits; what is waited for in this rig is load going on. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** As `until` of the tests, with time for processes under load. */
export function until<T>(what: string, condition: () => T | false | Promise<T | false>, withinMs = 20_000): Promise<T> {
  return untilWithin(what, condition, withinMs);
}
