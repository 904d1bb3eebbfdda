import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Attempt, AttemptLedger, type AttemptLedgerOptions } from "../../src/attempts/attempt-ledger.ts";
import { localResponse } from "../../src/core/buffered-body.ts";
import { MeshError } from "../../src/core/errors.ts";
import { outcomeOfError } from "../../src/core/outcome.ts";
import { Rotation } from "../../src/rotation/rotation.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { stateOf } from "../rotation/states.ts";
import { openResponse } from "../support/open-response.ts";

const refused = new MeshError("ERR_MESH_CONNECT", "no connection");
const broken = new MeshError("ERR_MESH_PROTOCOL", "reset");
const cutOff = new MeshError("ERR_MESH_BODY", "cut off", {
  attempts: [{ endpoint: "a", address: "a:1", phase: "body", ms: 1, maybeExecuted: true }],
});
const aborted = new DOMException("stop", "AbortError");

/** A ledger of one instance that notes everything it reports. */
function rig(options: Partial<AttemptLedgerOptions> = {}) {
  const clock = virtualClock();
  const upstream = testUpstream();
  const request = testRequest();
  const notes: string[] = [];
  const named = (error: unknown) => (error === undefined ? "none" : error instanceof MeshError ? error.code : "another");
  const ledger = new AttemptLedger({
    picker: {
      onAttempt() {
        notes.push("learner asked");
        return {
          onHead: ({ status }) => notes.push(`learner: head ${status}`),
          onEnd: (error) => notes.push(`learner: end ${named(error)}`),
        };
      },
    },
    passiveHealth: {
      admit() {
        notes.push("admit");
        return { kind: "normal", generation: 0 };
      },
      answered(_upstream, _permit, { status }) {
        notes.push(`answered ${status}`);
        return "open";
      },
      ended: (_upstream, _permit, verdict, status, outcome) =>
        notes.push(`ended ${verdict} ${status} ${{ failure: "failed", success: "well", neutral: "given up" }[outcome]}`),
      failed: (_upstream, _permit, error) => notes.push(`failed ${named(error)}`),
    },
    clock,
    onEnd: () => notes.push(`room, ${upstream.inFlight} in flight`),
    ...options,
  });
  const { attempts: before } = upstream;
  const books = () => ({ inFlight: upstream.inFlight, attempts: upstream.attempts - before, failures: upstream.failures });
  return { clock, upstream, request, notes, books, begin: () => ledger.begin(upstream, request) };
}

/** An attempt that has been sent. */
function sent({ begin }: { begin: () => Attempt }): Attempt {
  const attempt = begin();
  attempt.sent();
  return attempt;
}

describe("the books of an attempt", () => {
  it("count it from its beginning to its end, each once", () => {
    const all = rig();
    const attempt = all.begin();
    expect(all.books()).toEqual({ inFlight: 1, attempts: 1, failures: 0 });
    attempt.sent();
    attempt.sent();
    attempt.head(localResponse(200));
    attempt.head(localResponse(503));
    expect(all.books()).toEqual({ inFlight: 1, attempts: 1, failures: 0 });
    attempt.end(undefined);
    attempt.end(broken);
    attempt.sent();
    attempt.head(localResponse(503));
    expect(all.books()).toEqual({ inFlight: 0, attempts: 1, failures: 0 });
    expect(all.notes).toEqual([
      "admit",
      "learner asked",
      "answered 200",
      "learner: head 200",
      "ended open 200 well",
      "learner: end none",
      "room, 0 in flight",
    ]);
  });

  it("count a failure once: by its head or by its end", () => {
    for (const [status, error] of [
      [503, undefined],
      [503, cutOff],
      [200, cutOff],
    ] as const) {
      const all = rig();
      const attempt = sent(all);
      attempt.head(localResponse(status));
      expect(attempt.hasFailedHead).toBe(status === 503);
      attempt.end(error);
      expect(all.books(), `${status} ${error}`).toEqual({ inFlight: 0, attempts: 1, failures: 1 });
    }
  });

  it("count no failure for what the caller or this process is to blame for", () => {
    const local = new MeshError("ERR_MESH_LOCAL_RESOURCE", "no descriptors");
    const upload = new MeshError("ERR_MESH_BODY", "the request's body failed", { attempts: [] });
    for (const error of [aborted, local, upload]) {
      const all = rig();
      sent(all).end(error);
      expect(all.books()).toEqual({ inFlight: 0, attempts: 1, failures: 0 });
    }
  });

  it("take an end before anything was sent", () => {
    const all = rig();
    const attempt = all.begin();
    attempt.end(refused);
    attempt.sent();
    expect(all.books()).toEqual({ inFlight: 0, attempts: 1, failures: 1 });
    expect(all.notes).toEqual(["admit", "failed ERR_MESH_CONNECT", "learner asked", "learner: end ERR_MESH_CONNECT", "room, 0 in flight"]);
    const other = rig();
    other.begin().end(aborted);
    expect(other.notes, "nothing is learnt of an instance that was not reached").toEqual(["admit", "failed another", "room, 0 in flight"]);
  });

  it("take no time for the instance's before the request is sent", async () => {
    const all = rig();
    const attempt = all.begin();
    await all.clock.advance(500);
    attempt.sent();
    await all.clock.advance(100);
    attempt.head(localResponse(200));
    await all.clock.advance(500);
    attempt.end(undefined);
    expect(all.upstream.latencyMs).toBe(100);
    const unsent = all.begin();
    await all.clock.advance(500);
    unsent.head(localResponse(200));
    unsent.end(undefined);
    expect(all.upstream.latencyMs).toBe(100);
    const second = sent(all);
    await all.clock.advance(200);
    second.head(localResponse(200));
    expect(all.upstream.latencyMs, "a tenth of the way").toBeCloseTo(110);
    second.end(undefined);
  });

  it("ask a picker once whether it learns, also when it does not", () => {
    let asked = 0;
    const all = rig({ picker: { onAttempt: () => void asked++ } });
    sent(all).end(broken);
    expect([asked, all.books().failures]).toEqual([1, 1]);
  });

  it("are kept without breakers and without a picker that learns", () => {
    const all = rig({ picker: {}, passiveHealth: undefined, onEnd: undefined });
    const attempt = sent(all);
    attempt.head(localResponse(502));
    attempt.end(undefined);
    all.begin().end(refused);
    expect([all.books(), all.notes]).toEqual([{ inFlight: 0, attempts: 2, failures: 2 }, []]);
  });
});

describe("an attempt that the call gives up", () => {
  let deadline = new MeshError("ERR_MESH_TIMEOUT", "the deadline of the call", { attempts: cutOff.attempts });
  beforeEach(() => {
    deadline = new MeshError("ERR_MESH_TIMEOUT", "the deadline of the call", { attempts: cutOff.attempts });
  });

  it.each([
    ["the deadline", deadline],
    ["the caller's abort", aborted],
  ])("in its body, by %s, is no failure and says nothing of the instance", (_what, reason) => {
    const all = rig();
    const attempt = sent(all);
    attempt.head(localResponse(200));
    all.request.cancellation.cancel(reason);
    attempt.end(reason);
    expect(all.books()).toEqual({ inFlight: 0, attempts: 1, failures: 0 });
    expect(all.notes.filter((note) => note.startsWith("ended"))).toEqual(["ended open 200 given up"]);
    expect(all.notes.slice(-2)).toEqual([expect.stringMatching(/^learner: end/), "room, 0 in flight"]);
  });

  it("before its head is judged by the time that it had: no answer came within the limits of the service", async () => {
    const all = rig();
    const attempt = sent(all);
    await all.clock.advance(2_000);
    all.request.cancellation.cancel(deadline);
    attempt.end(deadline);
    expect([all.books().failures, all.notes[2]]).toEqual([1, "failed ERR_MESH_TIMEOUT"]);
  });

  it.each([
    ["a deadline shorter than the limits of the service", 100],
    ["a longer one, while nothing is known of how long an instance needs", 1_700],
  ])("before its head, by %s, says nothing of the instance", async (_what, ms) => {
    const all = rig();
    const attempt = sent(all);
    await all.clock.advance(ms);
    all.request.cancellation.cancel(deadline);
    attempt.end(deadline);
    expect([all.books().failures, outcomeOfError(deadline)]).toEqual([0, "neutral"]);
  });

  it("in its body, by the deadline, is a failure where its reader had waited for a byte for long enough", () => {
    const all = rig();
    const attempt = sent(all);
    const response = openResponse();
    attempt.head(response);
    response.body.waitedMs = 1_900;
    const late = new MeshError("ERR_MESH_TIMEOUT", "the deadline of the call", { attempts: cutOff.attempts });
    all.request.cancellation.cancel(late);
    attempt.end(late);
    expect([all.books().failures, all.notes.includes("ended open 200 failed"), outcomeOfError(late)]).toEqual([1, true, "failure"]);
  });

  it("is told from one whose body fails beside a cancellation", () => {
    const all = rig();
    const attempt = sent(all);
    attempt.head(localResponse(200));
    all.request.cancellation.cancel(deadline);
    attempt.end(cutOff);
    expect([all.books().failures, all.notes.includes("ended open 200 failed")]).toEqual([1, true]);
  });
});

describe("a probe", () => {
  async function probing() {
    const clock = virtualClock();
    const upstream = testUpstream();
    const rotation = new Rotation({ clock, random: () => 0.5, upstreams: () => [upstream] });
    onTestFinished(() => rotation.dispose());
    const ledger = new AttemptLedger({ picker: {}, passiveHealth: rotation.passiveHealth, clock });
    ledger.begin(upstream, testRequest()).end(refused);
    await clock.advance(1_000);
    expect(stateOf(upstream)).toBe("probing");
    const probe = ledger.begin(upstream, testRequest());
    probe.sent();
    expect(stateOf(upstream)).toBe("being probed");
    return { clock, upstream, probe };
  }

  it("is decided by its head: the instance is back while the body is open, and stays when that is cut off", async () => {
    const { clock, upstream, probe } = await probing();
    probe.head(localResponse(200));
    await clock.advance(0);
    expect(stateOf(upstream)).toBe("available");
    probe.end(cutOff);
    await clock.advance(0);
    expect([stateOf(upstream), upstream.failures]).toEqual(["available", 2]);
  });

  it("takes the instance out again by a head that is a failure, and leaves its place when it is given up", async () => {
    const failed = await probing();
    failed.probe.head(localResponse(503));
    await failed.clock.advance(0);
    expect(stateOf(failed.upstream)).toBe("ejected");
    failed.probe.end(undefined);
    const abandoned = await probing();
    abandoned.probe.end(aborted);
    expect(stateOf(abandoned.upstream)).toBe("probing");
  });
});
