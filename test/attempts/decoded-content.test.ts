import { describe, expect, it, onTestFinished } from "vitest";
import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { MeshError } from "../../src/core/errors.ts";
import { Rotation } from "../../src/rotation/rotation.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { stateOf } from "../rotation/states.ts";
import { openResponse } from "../support/open-response.ts";

const malformed = new MeshError("ERR_MESH_BODY", "it does not decode", {
  attempts: [{ endpoint: "a", address: "a:1", phase: "body", status: 200, ms: 1, maybeExecuted: true }],
});
const tooLarge = new MeshError("ERR_MESH_BODY", "it grows");

/** One instance, its circuit, and a learner that notes its ends. */
function rig() {
  const clock = virtualClock();
  const upstream = testUpstream();
  const rotation = new Rotation({ clock, random: () => 0.5, upstreams: () => [upstream] });
  onTestFinished(() => rotation.dispose());
  const ends: unknown[] = [];
  let rooms = 0;
  const ledger = new AttemptLedger({
    picker: { onAttempt: () => ({ onHead() {}, onEnd: (error) => void ends.push(error) }) },
    passiveHealth: rotation.passiveHealth,
    clock,
    onEnd: () => void rooms++,
  });
  const answered = ({ status = 200, method = "GET", decodes = true, coding = "gzip" } = {}) => {
    const attempt = ledger.begin(upstream, { ...testRequest(), method, decodes });
    attempt.sent();
    const response = openResponse(status, coding === "" ? {} : { "content-encoding": coding });
    response.body.onClose((error) => attempt.end(error));
    attempt.head(response);
    return response.body;
  };
  return { clock, upstream, ends, answered, state: () => stateOf(upstream), rooms: () => rooms };
}

describe("the end of an attempt whose content is decoded", () => {
  it("comes when it has been decoded, and its place is free before", () => {
    const { answered, ends, upstream, rooms } = rig();
    const body = answered();
    body.close();
    expect([ends, upstream.inFlight, rooms()]).toEqual([[], 0, 1]);
    body.content?.settle(undefined);
    expect([ends, upstream.failures, rooms()]).toEqual([[undefined], 0, 1]);
  });

  it("is a failure when it does not decode, told once", async () => {
    const { answered, ends, upstream, clock } = rig();
    const body = answered();
    body.close();
    body.content?.settle(malformed);
    body.content?.settle(undefined);
    await clock.advance(10_000);
    expect([ends, upstream.failures]).toEqual([[malformed], 1]);
  });

  it("is a failure that counts in a row, though each body came whole", () => {
    const { answered, state } = rig();
    for (let index = 0; index < 5; index++) {
      expect(state()).toBe("available");
      const body = answered();
      body.close();
      body.content?.settle(malformed);
    }
    expect(state()).toBe("ejected");
  });

  it("is a failure in the middle of the body, whatever the connection is closed with", () => {
    const { answered, ends, upstream } = rig();
    const body = answered();
    body.content?.settle(malformed);
    body.cancel(new DOMException("cancelled", "AbortError"));
    expect([ends, upstream.failures, upstream.inFlight]).toEqual([[malformed], 1, 0]);
  });

  it("is no failure by a limit of the caller", () => {
    const { answered, ends, upstream } = rig();
    const body = answered();
    body.close();
    body.content?.settle(undefined);
    const other = answered();
    other.content?.settle(undefined);
    other.cancel(tooLarge);
    expect([ends, upstream.failures]).toEqual([[undefined, tooLarge], 0]);
  });

  it("is the error of the connection where that breaks first", () => {
    const { answered, ends, upstream } = rig();
    const body = answered();
    body.close(malformed);
    body.content?.settle(undefined);
    expect([ends, upstream.failures]).toEqual([[malformed], 1]);
  });

  it("is a success after a second in which nothing reads the body, and a failure if it does not decode then", async () => {
    const { answered, ends, upstream, clock } = rig();
    const body = answered();
    body.close();
    await clock.advance(999);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect([ends, upstream.failures]).toEqual([[undefined], 0]);
    body.content?.settle(malformed);
    expect([ends, upstream.failures]).toEqual([[undefined], 1]);
  });

  it.each([
    ["no coding", { coding: "" }],
    ["a caller that decodes it", { decodes: false }],
    ["HEAD", { method: "HEAD" }],
    ["204", { status: 204 }],
    ["206, a part of a content", { status: 206 }],
    ["304", { status: 304 }],
    ["404", { status: 404 }],
    ["503", { status: 503 }],
  ])("waits for nothing with %s", (_what, answer) => {
    const { answered, ends } = rig();
    const body = answered(answer);
    body.close();
    expect([body.content, ends]).toEqual([undefined, [undefined]]);
  });
});
