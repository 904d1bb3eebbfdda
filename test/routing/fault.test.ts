import { describe, expect, it } from "vitest";
import { localResponse } from "../../src/core/buffered-body.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../src/core/dispatch.ts";
import type { FaultEvent } from "../../src/core/observing/routes/route-events.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import { deadline } from "../../src/policies/deadline.ts";
import { faultHeader, faultStage } from "../../src/routing/fault.ts";
import type { RouteFault } from "../../src/routing/route.ts";
import { testRequest } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { rejectionOf } from "../support/rejection.ts";

const marked = { headers: { [faultHeader]: "1" } };

function under(fault: RouteFault, random: () => number = () => 0.5) {
  const clock = virtualClock();
  const told: string[] = [];
  const sent: MeshRequest[] = [];
  const emit = ({ rule, fault: kind, status }: FaultEvent) => told.push(`${rule}: ${kind}${status === undefined ? "" : ` ${status}`}`);
  const events = { emit: (event: { readonly type: string }) => void emit(event as FaultEvent) };
  const next: Dispatch = async (request) => {
    sent.push(request);
    return localResponse(200, "from an instance", { "x-own": "1" });
  };
  const dispatch = interceptorOf(faultStage(fault, { rule: "tests", clock, random, events }))(next);
  return { clock, dispatch, told, sent, bounded: interceptorOf(deadline({ limitOf: () => 1_000, clock }))(dispatch) };
}

describe("the faults of a route", () => {
  it("leave calls alone that are not marked", async () => {
    const { dispatch, told, sent } = under({ delay: { ms: 100 }, abort: { status: 503 } });
    expect((await dispatch(testRequest())).status).toBe(200);
    expect([told, sent.length]).toEqual([[], 1]);
  });

  it("meet each call of a rule for every one", async () => {
    const { dispatch, told, sent } = under({ header: "*", abort: { status: 503 } });
    const answer = await dispatch(testRequest());
    expect([answer.status, answer.headers, told, sent]).toEqual([503, [faultHeader, "abort"], ["tests: abort 503"], []]);
  });

  it("are marked by the header that the rule names, in any case", async () => {
    const { dispatch } = under({ header: "X-Chaos", abort: { status: 500 } });
    expect((await dispatch(testRequest(marked))).status).toBe(200);
    expect((await dispatch(testRequest({ headers: { "x-chaos": "" } }))).status).toBe(500);
  });

  it("break a connection that was never made, so that the call may be repeated safely", async () => {
    const { dispatch, told, sent } = under({ abort: { error: "reset" } });
    const error = await rejectionOf(dispatch(testRequest({ ...marked, service: "orders" })));
    expect(error).toMatchObject({ code: "ERR_MESH_CONNECT", service: "orders", maybeExecuted: false, attempts: [] });
    expect(error).toHaveProperty(
      "message",
      'no connection to an instance of "orders": the rule "tests" breaks it on purpose (fault.abort)',
    );
    expect([told, sent]).toEqual([["tests: reset"], []]);
  });

  it("let a call wait, say so in its answer, and leave no timer", async () => {
    const { clock, dispatch, told, sent } = under({ delay: { ms: 200 } });
    const answer = dispatch(testRequest(marked));
    await clock.advance(199);
    expect([sent.length, told]).toEqual([0, ["tests: delay"]]);
    await clock.advance(1);
    expect((await answer).headers).toEqual(["x-own", "1", faultHeader, "delay=200"]);
    expect([sent.length, clock.pending]).toEqual([1, []]);
  });

  it("let a call wait first and end it then", async () => {
    const { clock, dispatch, told } = under({ delay: { ms: 200 }, abort: { status: 429 } });
    const answer = dispatch(testRequest(marked));
    await clock.advance(200);
    expect((await answer).status).toBe(429);
    expect(told).toEqual(["tests: delay", "tests: abort 429"]);
  });

  it("wait within the deadline of the call, whose error names the rule and says that nothing was sent", async () => {
    const { clock, bounded, sent } = under({ delay: { ms: 5_000 } });
    const error = rejectionOf(bounded(testRequest({ ...marked, service: "orders" })));
    await clock.advance(1_000);
    expect(await error).toMatchObject({ code: "ERR_MESH_TIMEOUT", maybeExecuted: false });
    expect(String(await error)).toContain('the rule "tests" delays it on purpose (fault.delay), and the deadline of 1000 ms');
    await clock.advance(10_000);
    expect([sent, clock.pending]).toEqual([[], []]);
  });

  it("end the wait of a call that its caller gives up", async () => {
    const { clock, dispatch, sent } = under({ delay: { ms: 5_000 } });
    const request = testRequest(marked);
    const error = rejectionOf(dispatch(request));
    const reason = new Error("given up");
    request.cancellation.cancel(reason);
    expect(await error).toBe(reason);
    expect([sent, clock.pending]).toEqual([[], []]);
  });

  it("send a call that has waited in its own deadline as before", async () => {
    const { clock, bounded } = under({ delay: { ms: 900 } });
    const request = testRequest(marked);
    const answer = bounded(request);
    await clock.advance(900);
    expect((await answer).status).toBe(200);
    expect([request.call?.waitError, clock.pending]).toEqual([undefined, []]);
  });

  it("are drawn to a ten-thousandth of a percent, each by itself", async () => {
    const draws = [0.000_000_9, 0.000_001_1, 0.000_001_1, 0.000_000_9, 0.9, 0.9];
    const random = () => draws.shift() as number;
    const { dispatch, told, clock } = under({ delay: { ms: 1, percent: 0.000_1 }, abort: { status: 500, percent: 0.000_1 } }, random);
    const statuses: Promise<MeshResponse>[] = [];
    for (let call = 0; call < 3; call++) statuses.push(dispatch(testRequest(marked)));
    await clock.advance(1);
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([200, 500, 200]);
    expect([told, draws]).toEqual([["tests: delay", "tests: abort 500"], []]);
  });
});
