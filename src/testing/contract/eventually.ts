import assert from "node:assert/strict";
import { addressOf } from "../../core/endpoint.ts";

/** Addresses in a fixed order, by which two sets of instances are compared. */
export function addressesOf(set: readonly { readonly host: string; readonly port: number }[]): readonly string[] {
  return set.map(addressOf).sort();
}

/** Whether two sets hold the same addresses, each as often. */
export function sameAddresses(
  one: readonly { readonly host: string; readonly port: number }[],
  other: readonly { readonly host: string; readonly port: number }[],
): boolean {
  return addressesOf(one).join() === addressesOf(other).join();
}

/** A real pause: contract suites run against real servers, which no fake clock controls. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Resolves as `work` does, or rejects with an `AssertionError` "`what` took longer than …" after `withinMs`. */
export async function within<T>(work: Promise<T>, withinMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} took longer than ${withinMs} ms` })), withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until `condition` holds and resolves with the milliseconds it took; rejects with `explain()` after `withinMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs: number, explain: () => string): Promise<number> {
  const start = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - start;
    if (performance.now() - start > withinMs) {
      assert.fail(`${explain()} (waited ${withinMs} ms)`);
    }
    await pause(10);
  }
}

/** Polls for `durationMs` and rejects with `explain()` as soon as `condition` does not hold. */
export async function throughout(condition: () => boolean | Promise<boolean>, durationMs: number, explain: () => string): Promise<void> {
  const end = performance.now() + durationMs;
  do {
    if (!(await condition())) assert.fail(explain());
    await pause(10);
  } while (performance.now() < end);
}
