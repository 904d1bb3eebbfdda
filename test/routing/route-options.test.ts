import { describe, expect, it } from "vitest";
import { checkRouteOptions } from "../../src/routing/route-options.ts";

describe("the options of a route", () => {
  it("are those of calls", () => {
    const options = { timeoutMs: 3, attemptTimeoutMs: false, retry: { maxAttempts: 2 }, hedge: {}, breaker: false, maxResponseBytes: 9 };
    expect(() => checkRouteOptions("routes[0].options", options)).not.toThrow();
    expect(() => checkRouteOptions("routes[0].options", undefined)).not.toThrow();
  });

  it("are refused with their name and value", () => {
    const refusals = [
      [{ timeoutMs: -1 }, /^RangeError: routes\[0\]\.options\.timeoutMs must be at least 1, not -1/],
      [{ retry: { maxAttempts: 0 } }, /^RangeError: routes\[0\]\.options\.retry\.maxAttempts/],
      [{ concurrency: {} }, /^TypeError: routes\[0\]\.options has no option "concurrency"; it has timeoutMs, attemptTimeoutMs/],
      [{ retry: { budget: { ratio: 1 } } }, /^TypeError: routes\[0\]\.options\.retry\.budget cannot be of a route/],
      ["fast", /^TypeError: routes\[0\]\.options must be an object with options/],
    ] as const;
    for (const [options, message] of refusals) {
      let said = "";
      try {
        checkRouteOptions("routes[0].options", options);
      } catch (error) {
        said = String(error);
      }
      expect(said).toMatch(message);
    }
  });
});
