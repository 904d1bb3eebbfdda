import { describe, expect, it } from "vitest";
import { interceptorOf } from "../../../src/core/stages/stage.ts";
import { type RetryPolicyOptions, retry } from "../../../src/policies/retry/retry.ts";
import { retryOptions } from "../../../src/policies/retry/retry-options.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Ending, sequence } from "../../support/endings.ts";
import { openResponse } from "../../support/open-response.ts";

const refused: Ending = { code: "ERR_MESH_CONNECT" };
const reset: Ending = { code: "ERR_MESH_PROTOCOL" };
const timeout: Ending = { code: "ERR_MESH_TIMEOUT" };

/** The number of attempts within a second of a call whose attempts end like this. */
async function attemptsOf(options: Partial<RetryPolicyOptions>, endings: readonly Ending[], method = "GET"): Promise<number> {
  const inner = sequence(...endings);
  const clock = virtualClock() as VirtualClock;
  const dispatch = interceptorOf(retry({ random: () => 0.5, baseDelayMs: 0, ...options, clock }))(inner.dispatch);
  void dispatch(testRequest({ method })).catch(() => undefined);
  await clock.advance(1_000);
  return inner.requests.length;
}

describe("the failures that `on` lists", () => {
  it.each([
    [["connect"], refused, 2],
    [["timeout", 503], refused, 1],
    [["reset"], reset, 2],
    [["connect", "timeout"], reset, 1],
    [["timeout"], timeout, 2],
    [["reset", 503], timeout, 1],
    [[503], 503, 2],
    [["connect"], 503, 1],
    [[500], 500, 2],
    [[429, 404], 404, 2],
    [[], 502, 1],
  ] as const)("%j: an attempt that ends with %j makes %i", async (on, ending, attempts) => {
    expect(await attemptsOf({ on }, [ending, 200])).toBe(attempts);
  });

  it("do not make a request safe that is not", async () => {
    expect(await attemptsOf({ on: [500, "reset"] }, [500, 200], "POST")).toBe(1);
    expect(await attemptsOf({ on: [500, "reset"] }, [reset, 200], "POST")).toBe(1);
    expect(await attemptsOf({ on: [500, "connect"] }, [refused, 200], "POST")).toBe(2);
  });

  it("are of a request whose method is in the list", async () => {
    expect(await attemptsOf({ on: [500], methods: ["POST"] }, [500, 200], "POST")).toBe(2);
    expect(await attemptsOf({ on: [500], methods: ["POST"] }, [500, 200], "GET")).toBe(1);
  });
});

describe("further limits of retries", () => {
  it("pass over Retry-After where it is not heeded", async () => {
    const asking = () => openResponse(503, { "retry-after": "30" });
    expect(await attemptsOf({}, [asking(), 200])).toBe(1);
    expect(await attemptsOf({ heedRetryAfter: false }, [asking(), 200])).toBe(2);
  });

  it("let no attempt begin later than they say", async () => {
    expect(await attemptsOf({ withinMs: 100, baseDelayMs: 10, maxDelayMs: 10 }, [503, 503, 200])).toBe(3);
    expect(await attemptsOf({ withinMs: 100, baseDelayMs: 400, maxDelayMs: 400 }, [503, 200])).toBe(1);
  });

  it.each([
    [
      { on: ["4xx"] },
      `retry.on must be an array of "connect", "refused", "reset", "timeout", "5xx" and statuses from 400 to 599, not ["4xx"]`,
    ],
    [{ on: [200] }, `retry.on must be an array of "connect", "refused", "reset", "timeout", "5xx" and statuses from 400 to 599, not [200]`],
    [{ methods: "all" }, 'retry.methods must be "safe", "idempotent" or an array of methods, not "all"'],
    [{ methods: [""] }, 'retry.methods must be "safe", "idempotent" or an array of methods, not [""]'],
  ])("refuse %j", (options, message) => expect(() => retryOptions.checkValues("retry.", options as never)).toThrow(message));
});
