import { describe, expect, it } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import { type ServiceBreakerOptions, serviceBreaker } from "../../src/policies/service-breaker.ts";
import { testRequest } from "../../src/testing/request.ts";
import { type Ending, endings } from "../support/endings.ts";
import { openResponse } from "../support/open-response.ts";
import { rejectionOf } from "../support/rejection.ts";
import { clock, disposedAtEnd, inVirtualTime } from "../support/virtual-time.ts";

inVirtualTime();

function under(options: Partial<ServiceBreakerOptions> = {}) {
  const states: string[] = [];
  const breaker = serviceBreaker({ service: "orders", clock, random: () => 0.5, onState: (state) => states.push(state), ...options });
  disposedAtEnd(breaker);
  let ending: Ending | Promise<Ending> = 200;
  const inner = endings(() => ending);
  const dispatch = interceptorOf(breaker.stage)(inner.dispatch);
  return {
    breaker,
    states,
    requests: inner.requests,
    /** Makes `count` calls one after the other that end so. */
    async calls(next: Ending, count = 1): Promise<unknown> {
      ending = next;
      let last: unknown;
      for (let call = 0; call < count; call++) {
        last = await dispatch(testRequest({ service: "orders" })).catch((error: unknown) => error);
      }
      return last;
    },
    /** Begins a call and leaves it open. */
    begin() {
      let end: (how: Ending) => void = () => {};
      ending = new Promise((resolve) => {
        end = resolve;
      });
      const settled = dispatch(testRequest()).catch((error: unknown) => error);
      return async (how: Ending) => {
        end(how);
        await settled;
        await clock.advance(0);
      };
    },
  };
}

describe("serviceBreaker", () => {
  it("passes requests and answers through while it is closed", async () => {
    const { breaker, calls, requests } = under();
    const response = openResponse(500);
    expect(await calls(response)).toBe(response);
    expect(await calls({ code: "ERR_MESH_CONNECT" })).toMatchObject({ code: "ERR_MESH_CONNECT" });
    expect([requests.length, breaker.state()]).toEqual([2, "closed"]);
  });

  it("refuses calls without trying an instance once more than half of at least twenty failed", async () => {
    const { breaker, calls, requests, states } = under();
    await calls(503, 19);
    expect(breaker.state()).toBe("closed");
    await calls(503);
    const error = (await calls(200)) as MeshError;
    expect(error).toMatchObject({
      code: "ERR_MESH_CIRCUIT_OPEN",
      service: "orders",
      attempts: [],
      maybeExecuted: false,
      message: '"orders" is failing: its circuit breaker is open and lets one call a second through',
    });
    expect(error.stack, "a stack costs ten times the rest").not.toContain("    at ");
    expect([requests.length, states]).toEqual([20, ["open"]]);
  });

  it("takes the share and the number from the options", async () => {
    const { breaker, calls } = under({ failureRatio: 0.8, minCalls: 5 });
    await calls(200);
    await calls(502, 4);
    expect(breaker.state()).toBe("closed");
    await calls(502);
    expect(breaker.state()).toBe("open");
  });

  it("lets one call a second through, however long it lasts, and closes when that succeeds", async () => {
    const { calls, requests, states, begin } = under({ breakMs: 30_000, maxBreakMs: 60_000 });
    await calls(503, 20);
    for (let second = 1; second <= 10; second++) {
      await clock.advance(1_000);
      const end = begin();
      expect(await calls(200)).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN" });
      expect(requests).toHaveLength(20 + second);
      await end(503);
    }
    await clock.advance(1_000);
    await calls(200);
    await clock.advance(0);
    expect(states.slice(-3)).toEqual(["open", "half-open", "closed"]);
    expect(await calls(200)).toMatchObject({ status: 200 });
  });

  it("has a shorter pause where the options say so", async () => {
    const { breaker, calls } = under({ breakMs: 100 });
    await calls(503, 20);
    await clock.advance(100);
    expect(breaker.state()).toBe("half-open");
  });

  it("does not count what is no fault of the service", async () => {
    for (const ending of [
      { throws: new DOMException("stop", "AbortError") },
      { throws: "a string" },
      { throws: new TypeError("invalid header") },
      { code: "ERR_MESH_LOCAL_RESOURCE" },
      { code: "ERR_MESH_NO_ENDPOINTS" },
      { code: "ERR_MESH_OVERLOADED" },
      { code: "ERR_MESH_FORBIDDEN" },
    ] as readonly Ending[]) {
      const { breaker, calls } = under();
      await calls(ending, 100);
      await calls(503, 19);
      expect(breaker.state()).toBe("closed");
    }
  });

  it("does not count 500 and 4xx against it", async () => {
    const { breaker, calls } = under();
    for (const status of [400, 404, 429, 500]) await calls(status, 30);
    expect(breaker.state()).toBe("closed");
  });

  it("counts a deadline against it when there was an attempt, and not when discovery was waited for", async () => {
    for (const [attempts, code] of [
      [[], "ERR_MESH_TIMEOUT"],
      [[{ phase: "headers", maybeExecuted: true }], "ERR_MESH_CIRCUIT_OPEN"],
    ] as const) {
      const breaker = serviceBreaker({ service: "orders", clock, random: () => 0.5, onState: () => {} });
      disposedAtEnd(breaker);
      const dispatch = interceptorOf(breaker.stage)(async () => {
        throw new MeshError("ERR_MESH_TIMEOUT", "m", { attempts: attempts as never });
      });
      let last: unknown;
      for (let call = 0; call < 30; call++) last = await rejectionOf(dispatch(testRequest()));
      expect(last).toMatchObject({ code });
    }
  });

  it("lets the next call try when the one that tried was aborted", async () => {
    const { breaker, calls } = under();
    await calls(503, 20);
    await clock.advance(1_000);
    await calls({ throws: "abort" });
    expect(breaker.state()).toBe("half-open");
    await calls(200);
    expect(breaker.state()).toBe("closed");
  });

  it("is closed by no call that began before it opened", async () => {
    const { breaker, calls, begin } = under();
    const end = begin();
    await calls(503, 20);
    await end(200);
    expect(breaker.state()).toBe("open");
  });

  it("lets calls through when it is disposed", async () => {
    const { breaker, calls } = under();
    await calls(503, 20);
    breaker.dispose();
    expect(await calls(200)).toMatchObject({ status: 200 });
    expect(await calls(200)).toMatchObject({ status: 200 });
  });
});
