import { describe, expect, it } from "vitest";
import { Cancellation } from "../../src/core/cancellation.ts";
import type { Dispatch, MeshRequest, MeshResponse, OpenCall } from "../../src/core/dispatch.ts";
import { MeshError } from "../../src/core/errors.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import { deadline } from "../../src/policies/deadline.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import { testRequest } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { openResponse } from "../support/open-response.ts";
import { rejectionOf } from "../support/rejection.ts";

const hangs: Dispatch = () => new Promise(() => {});

function under(next: Dispatch, timeoutMs: number | false = 1_000) {
  const clock = virtualClock();
  return { clock, dispatch: interceptorOf(deadline({ limitOf: () => timeoutMs, clock }))(next) };
}

describe("deadline", () => {
  it("settles the caller at the deadline, also when everything below hangs", async () => {
    const { clock, dispatch } = under(hangs);
    const request = testRequest({ service: "orders", method: "POST" });
    let settled = false;
    const error = rejectionOf(dispatch(request)).finally(() => {
      settled = true;
    });
    await clock.advance(999);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await error).toMatchObject({ code: "ERR_MESH_TIMEOUT", service: "orders", attempts: [], maybeExecuted: false });
    expect((await error) as MeshError).toHaveProperty("message", '"orders" did not answer POST within the deadline of 1000 ms (timeoutMs)');
    expect([request.cancellation.reason, clock.pending]).toEqual([await error, []]);
  });

  it("says in its error how far the attempts had got, those that it ended included", async () => {
    const { clock, dispatch } = under((request) => {
      request.cancellation.onCancel(() => {
        request.attempts.push({ endpoint: "a", address: "a:1", phase: "headers", ms: 1_000, maybeExecuted: true });
      });
      return hangs(request);
    });
    const error = rejectionOf(dispatch(testRequest()));
    await clock.advance(1_000);
    expect(await error).toMatchObject({ maybeExecuted: true, attempts: [{ endpoint: "a" }] });
  });

  it("tells the layers below when the call ends", async () => {
    const seen: MeshRequest[] = [];
    const next: Dispatch = async (request) => {
      seen.push(request);
      return openResponse();
    };
    const { clock, dispatch } = under(next);
    await clock.advance(70);
    await dispatch(testRequest());
    await dispatch(testRequest({ options: { timeoutMs: 5 } }));
    await dispatch(testRequest({ options: { timeoutMs: false } }));
    expect(seen.map((request) => request.deadline)).toEqual([1_070, 75, Number.POSITIVE_INFINITY]);
  });

  it("has no timer without a limit, and the call's own option goes first", async () => {
    for (const [timeoutMs, own, pending] of [
      [false, undefined, 0],
      [1_000, false, 0],
      [false, 10, 1],
    ] as const) {
      const { clock, dispatch } = under(hangs, timeoutMs);
      void dispatch(testRequest(own === undefined ? {} : { options: { timeoutMs: own } }));
      expect(clock.pending).toHaveLength(pending);
    }
  });

  it("rejects with the caller's reason at its abort, also when everything below hangs, and forgets its timer", async () => {
    for (const timeoutMs of [1_000, false] as const) {
      const { clock, dispatch } = under(hangs, timeoutMs);
      const cancellation = new Cancellation();
      const error = rejectionOf(dispatch(testRequest({ cancellation })));
      cancellation.cancel("no string is too odd for a reason");
      expect([await error, clock.pending]).toEqual(["no string is too odd for a reason", []]);
    }
  });

  it("sends nothing that was given up before", async () => {
    let calls = 0;
    const { clock, dispatch } = under(() => {
      calls++;
      return hangs(testRequest());
    });
    const cancellation = new Cancellation();
    cancellation.cancel("gone");
    expect([await rejectionOf(dispatch(testRequest({ cancellation }))), calls, clock.pending]).toEqual(["gone", 0, []]);
  });

  it("goes on while the body is open, and ends with it", async () => {
    const response = openResponse();
    const { clock, dispatch } = under(async () => response);
    const request = testRequest();
    expect(await dispatch(request)).toBe(response);
    expect(clock.pending).toHaveLength(1);
    response.body.close();
    expect(clock.pending).toEqual([]);
    request.cancellation.cancel("later");
    expect(request.cancellation.reason).toBe("later");
  });

  it("cancels the call when the body is not over in time", async () => {
    const { clock, dispatch } = under(async () => openResponse());
    const request = testRequest();
    await dispatch(request);
    await clock.advance(1_000);
    expect(request.cancellation.reason).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
  });

  it("leaves event streams alone that were asked for, from the head on, however the media type is written", async () => {
    for (const type of ["text/event-stream", "Text/Event-Stream; charset=utf-8", "text/event-stream ;x=y"]) {
      const { clock, dispatch } = under(async () => openResponse(200, { "content-type": type }));
      const request = testRequest({ headers: { accept: "text/event-stream, */*;q=0.1" } });
      await dispatch(request);
      await clock.advance(3_600_000);
      expect([request.cancellation.cancelled, clock.pending]).toEqual([false, []]);
    }
    for (const type of ["text/event-streams", "text/html", "x; text/event-stream"]) {
      const { clock, dispatch } = under(async () => openResponse(200, { "content-type": type }));
      await dispatch(testRequest());
      expect(clock.pending).toHaveLength(1);
    }
  });

  it.each([
    ["as a stream", { accept: "*/*" }, undefined, false],
    ["as a stream, by a caller that says nothing of what it takes", {}, undefined, false],
    ["whole", { accept: "*/*" }, "collect" as const, true],
    ["as a stream, by a caller that wants something else", { accept: "application/json" }, undefined, true],
  ])("holds for an event stream that was not asked for by how it is read: %s", async (_how, headers, purpose, isHeld) => {
    const { clock, dispatch } = under(async () => {
      const response = openResponse(200, { "content-type": "text/event-stream" });
      response.body.stream = () => new ReadableStream();
      return response;
    });
    const request = testRequest({ headers });
    (await dispatch(request)).body.stream(purpose);
    await clock.advance(3_600_000);
    expect([request.cancellation.cancelled, clock.pending]).toEqual([isHeld, []]);
  });

  it("has no timer left after an error, rejected or thrown, or after a body that came with its head", async () => {
    const complete = openResponse();
    complete.body.close();
    const boom = new MeshError("ERR_MESH_CONNECT", "m");
    for (const next of [
      async () => complete,
      async () => {
        throw boom;
      },
      () => {
        throw boom;
      },
    ]) {
      const { clock, dispatch } = under(next);
      const cancellation = new Cancellation();
      await dispatch(testRequest({ cancellation })).catch((error) => expect(error).toBe(boom));
      expect(clock.pending).toEqual([]);
    }
  });

  it("says once of each call that it has ended: with its body, with its failure, or with whatever settled it before", async () => {
    const clock = virtualClock();
    let ended = 0;
    const told = { handleCallEnd: () => void ended++ };
    const through = (next: Dispatch) =>
      interceptorOf(deadline({ limitOf: () => 1_000, clock }))((request) => {
        expect([request.call?.onEnd(told), request.call?.onEnd(told)]).toEqual([true, false]);
        return next(request);
      });
    const complete = openResponse();
    complete.body.close();
    await through(async () => complete)(testRequest());
    expect(ended).toBe(1);
    for (const type of ["text/plain", "text/event-stream"]) {
      const before = ended;
      const response = openResponse(200, { "content-type": type });
      const request = testRequest();
      await through(async () => response)(request);
      await clock.advance(10);
      expect(ended).toBe(before);
      response.body.close();
      request.cancellation.cancel("later");
      expect(ended).toBe(before + 1);
    }
    await rejectionOf(through(() => Promise.reject(new MeshError("ERR_MESH_CONNECT", "m")))(testRequest()));
    expect(ended).toBe(4);
    const late = openResponse();
    let answer: (late: MeshResponse) => void = () => {};
    const timedOut = rejectionOf(through(() => new Promise((resolve) => (answer = resolve)))(testRequest()));
    await clock.advance(1_000);
    await timedOut;
    expect(ended).toBe(5);
    answer(late);
    await clock.advance(0);
    expect([ended, late.body.cancelledWith]).toEqual([5, await timedOut]);
    const cancellation = new Cancellation();
    cancellation.cancel("before");
    await rejectionOf(through(hangs)(testRequest({ cancellation })));
    expect(ended).toBe(5);
  });

  it("says of a call to each of several listeners that it has ended, and takes none afterwards", async () => {
    const clock = virtualClock();
    const log: string[] = [];
    const listeners = ["a", "b", "c"].map((name) => ({ handleCallEnd: () => void log.push(name) }));
    const response = openResponse();
    let call: OpenCall | undefined;
    const dispatch = interceptorOf(deadline({ limitOf: () => 1_000, clock }))(async (request) => {
      call = request.call;
      for (const listener of [...listeners, ...listeners]) call?.onEnd(listener);
      return response;
    });
    await dispatch(testRequest());
    response.body.close();
    expect(log).toEqual(["a", "b", "c"]);
    expect(call?.onEnd({ handleCallEnd: () => void log.push("late") })).toBe(false);
    expect(log).toHaveLength(3);
  });

  it("says in its error which of the three limits has passed", async () => {
    const messageOf = async (own: number | undefined, callerMs: string | undefined) => {
      const { clock, dispatch } = under(hangs);
      const headers = { "x-mesh-deadline-ms": callerMs };
      const error = continueFrom(
        headers,
        () => rejectionOf(dispatch(testRequest({ options: own === undefined ? {} : { timeoutMs: own } }))),
        clock,
      );
      await clock.advance(1_000);
      return String(await error).replace(/^.* within the deadline of /, "");
    };
    expect(await messageOf(undefined, undefined)).toBe("1000 ms (timeoutMs)");
    expect(await messageOf(70, undefined)).toBe("70 ms (mesh.timeoutMs of the call)");
    expect(await messageOf(70, "2000")).toBe("70 ms (mesh.timeoutMs of the call)");
    const callers = "x-mesh-deadline-ms: the caller that this process is answering waits no longer";
    expect(await messageOf(undefined, "30")).toBe(`30 ms (${callers})`);
    expect(await messageOf(70, "0")).toBe(`0 ms (${callers})`);
  });

  it("gives a response that comes too late up, so that its connection is free", async () => {
    const response = openResponse();
    let answer: (late: typeof response) => void = () => {};
    const { clock, dispatch } = under(() => new Promise((resolve) => (answer = resolve)));
    const error = rejectionOf(dispatch(testRequest()));
    await clock.advance(1_000);
    answer(response);
    await clock.advance(0);
    expect(response.body.cancelledWith).toBe(await error);
  });

  it("marks what a copy brings about as a copy, and nothing else", async () => {
    const seen: unknown[] = [];
    const { dispatch } = under(async ({ headers }) => {
      seen.push({ ...headers });
      return openResponse();
    });
    const given = { accept: "*/*" };
    await dispatch(testRequest({ headers: given }));
    await continueFrom({ "x-mesh-attempt": "2" }, () => dispatch(testRequest({ headers: given })));
    await continueFrom({ "x-mesh-mirrored": "1" }, () => dispatch(testRequest({ headers: given })));
    expect(seen).toEqual([given, given, { ...given, "x-mesh-mirrored": "1" }]);
    expect(given).toEqual({ accept: "*/*" });
  });
});

describe("the time limit of a route", () => {
  /** Sends a call whose rule has this limit, after `waitMs`, and returns the time of its end and its error. */
  async function limited(
    limitMs: number | false,
    given: { waitMs?: number; own?: number; callerMs?: string; optionMs?: number | false } = {},
  ) {
    const { waitMs = 0, own, callerMs, optionMs = 1_000 } = given;
    const deadlines: number[] = [];
    const { clock, dispatch } = under(async (request) => {
      if (waitMs > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, waitMs));
      deadlines.push(request.call?.limitBy("slow", limitMs) as number);
      return hangs(request);
    }, optionMs);
    const request = testRequest({ options: own === undefined ? {} : { timeoutMs: own } });
    let message = "";
    const headers = { "x-mesh-deadline-ms": callerMs };
    void continueFrom(headers, () => rejectionOf(dispatch(request)), clock).then((error) => (message = String(error)));
    let ms = 0;
    for (; message === "" && ms < 5_000; ms += 10) await clock.advance(10);
    return { ms, deadline: deadlines[0], said: message.replace(/^.* within the deadline of /, "") };
  }

  it("is in place of that of the options, shorter or longer, and counts from the beginning of the call", async () => {
    expect(await limited(200)).toEqual({ ms: 200, deadline: 200, said: '200 ms (timeoutMs of the route "slow")' });
    expect(await limited(3_000)).toEqual({ ms: 3_000, deadline: 3_000, said: '3000 ms (timeoutMs of the route "slow")' });
    expect(await limited(200, { waitMs: 150 })).toEqual({ ms: 200, deadline: 200, said: '200 ms (timeoutMs of the route "slow")' });
    expect(await limited(200, { optionMs: false })).toEqual({ ms: 200, deadline: 200, said: '200 ms (timeoutMs of the route "slow")' });
    expect(await limited(false)).toEqual({ ms: 5_000, deadline: Number.POSITIVE_INFINITY, said: "" });
  });

  it("has passed at once where the call has taken longer already", async () => {
    expect(await limited(100, { waitMs: 300 })).toMatchObject({ ms: 300, said: '300 ms (timeoutMs of the route "slow")' });
  });

  it("goes neither beyond that of the call nor beyond the time that the caller of this process waits", async () => {
    expect(await limited(3_000, { own: 70 })).toMatchObject({ ms: 70, said: "70 ms (mesh.timeoutMs of the call)" });
    const callers = "x-mesh-deadline-ms: the caller that this process is answering waits no longer";
    expect(await limited(3_000, { callerMs: "2000" })).toMatchObject({ ms: 2_000, deadline: 2_000, said: `2000 ms (${callers})` });
    expect(await limited(false, { callerMs: "2000" })).toMatchObject({ ms: 2_000, deadline: 2_000, said: `2000 ms (${callers})` });
    expect(await limited(500, { callerMs: "2000" })).toMatchObject({ ms: 500, said: '500 ms (timeoutMs of the route "slow")' });
  });

  it("leaves no timer behind, however often it is set", async () => {
    const { clock, dispatch } = under(async (request) => {
      for (const ms of [50, 500, 5_000]) request.call?.limitBy("slow", ms);
      return openResponse();
    });
    const response = await dispatch(testRequest());
    await response.body.discard();
    expect(clock.pending).toEqual([]);
  });
});
