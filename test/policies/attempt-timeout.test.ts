import { describe, expect, it, vi } from "vitest";
import { Cancellation } from "../../src/core/cancellation.ts";
import type { Dispatch, MeshRequest } from "../../src/core/dispatch.ts";
import { attemptTimeout } from "../../src/policies/attempt-timeout.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { openResponse } from "../support/open-response.ts";
import { rejectionOf } from "../support/rejection.ts";

/** As the transport: waits until the attempt is cancelled, then records how far it had got. */
const waits: Dispatch = (request) =>
  new Promise((_resolve, reject) => {
    request.cancellation.onCancel((reason) => {
      request.attempts.push({ endpoint: "a", address: "a:1", phase: "headers", ms: 0, maybeExecuted: true });
      reject(reason);
    });
  });

function under(next: Dispatch, timeoutMs: number | false = 200) {
  const clock = virtualClock();
  const seen: MeshRequest[] = [];
  const dispatch = attemptTimeout({ timeoutMs, clock })((request) => {
    seen.push(request);
    return next(request);
  });
  return { clock, dispatch, seen };
}

describe("attemptTimeout", () => {
  it("ends the attempt at its limit, and not the call", async () => {
    const { clock, dispatch } = under(waits);
    const request = testRequest({ service: "orders", upstream: testUpstream() });
    const error = rejectionOf(dispatch(request));
    await clock.advance(199);
    expect(request.attempts).toEqual([]);
    await clock.advance(1);
    expect(await error).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
      message: '127.0.0.1:8080 of "orders" did not answer GET within 200 ms (attemptTimeoutMs)',
      maybeExecuted: true,
      attempts: [{ endpoint: "a", phase: "headers" }],
    });
    expect([request.cancellation.cancelled, clock.pending]).toEqual([false, []]);
  });

  it("gives an attempt the time again in which this process stood still, once", async () => {
    const { clock, dispatch } = under(waits);
    const request = testRequest({ upstream: testUpstream() });
    const error = rejectionOf(dispatch(request));
    // The event loop is blocked: timers run late, and what has arrived is read after them.
    vi.spyOn(clock, "now").mockReturnValue(350);
    await clock.advance(200);
    expect(request.attempts, "150 ms late").toEqual([]);
    await clock.advance(149);
    expect(request.attempts).toEqual([]);
    await clock.advance(1);
    expect(await error).toMatchObject({ code: "ERR_MESH_TIMEOUT", attempts: [{ phase: "headers" }] });
    expect(clock.pending).toEqual([]);
  });

  it("has no timer once the head has arrived, or the attempt has failed", async () => {
    const answered = under(async () => openResponse());
    await answered.dispatch(testRequest());
    const failed = under(async () => {
      throw new Error("down");
    });
    expect(await rejectionOf(failed.dispatch(testRequest()))).toEqual(new Error("down"));
    expect([answered.clock.pending, failed.clock.pending]).toEqual([[], []]);
  });

  it("ends the attempt with the call, before the head and after it", async () => {
    const before = under(waits);
    const first = testRequest();
    const error = rejectionOf(before.dispatch(first));
    first.cancellation.cancel("caller");
    expect([await error, before.clock.pending]).toEqual(["caller", []]);
    const after = under(async () => openResponse());
    const second = testRequest();
    await after.dispatch(second);
    second.cancellation.cancel("caller");
    expect(after.seen[0]?.cancellation.reason).toBe("caller");
  });

  it("leaves no listener with the call once the attempt has failed or its body is over", async () => {
    for (const outcome of ["fail", "body"] as const) {
      const response = openResponse();
      const { dispatch } = under(async () => {
        if (outcome === "fail") throw new Error("down");
        return response;
      });
      const cancellation = new Cancellation();
      const added = vi.spyOn(cancellation, "onCancel");
      const removed = vi.spyOn(cancellation, "removeListener");
      await dispatch(testRequest({ cancellation })).catch(() => {});
      if (outcome === "body") {
        expect(removed).not.toHaveBeenCalled();
        response.body.close();
      }
      expect(removed.mock.calls).toEqual(added.mock.calls);
      expect(added).toHaveBeenCalledOnce();
    }
  });

  it("takes the call's own limit first, and passes the request on untouched without one", async () => {
    for (const [timeoutMs, own, limit] of [
      [200, 50, 50],
      [false, 50, 50],
      [200, false, undefined],
      [false, undefined, undefined],
    ] as const) {
      const { clock, dispatch, seen } = under(waits, timeoutMs);
      const request = testRequest(own === undefined ? {} : { options: { attemptTimeoutMs: own } });
      void dispatch(request).catch(() => {});
      expect(clock.pending.map(({ inMs }) => inMs)).toEqual(limit === undefined ? [] : [limit]);
      expect(seen[0] === request).toBe(limit === undefined);
    }
  });
});
