import { describe, expect, it } from "vitest";
import { Upstream } from "../../../src/core/upstream.ts";
import { observeAttempts } from "../../../src/telemetry/observing/observe.ts";
import { Observers } from "../../../src/telemetry/observing/observers.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { openResponse } from "../../support/open-response.ts";
import { rejectionOf } from "../../support/rejection.ts";

describe("attempts side by side", () => {
  it("end with their own records, whichever gets its record first", async () => {
    const ends: unknown[] = [];
    const observers = new Observers([
      { onAttempt: (_, { id }) => ({ onEnd: ({ record, cancelled }) => void ends.push([id, record.endpoint, cancelled]) }) },
    ]);
    const [slow, fast] = ["slow", "fast"].map((id) => new Upstream("orders", { id, host: "127.0.0.1", port: 1 }));
    const response = openResponse();
    let giveUp: () => void = () => {};
    const dispatch = observeAttempts(
      observers,
      virtualClock(),
    )(async ({ upstream, attempts }) => {
      if (upstream === slow)
        await new Promise<void>((resolve) => {
          giveUp = resolve;
        });
      attempts.push({ endpoint: upstream?.id, address: upstream?.address, phase: "headers", ms: 1, maybeExecuted: true });
      if (upstream === slow) throw new DOMException("another one was faster", "AbortError");
      return response;
    });
    const request = testRequest();
    const loser = rejectionOf(dispatch({ ...request, upstream: slow }));
    await dispatch({ ...request, upstream: fast });
    request.cancellation.cancel("the other one");
    giveUp();
    await loser;
    response.body.close();
    expect(ends).toEqual([
      ["slow", "slow", true],
      ["fast", "fast", false],
    ]);
  });
});
