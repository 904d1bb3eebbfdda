import { describe, expect, it, onTestFinished } from "vitest";
import { MeshError } from "../../../src/core/errors.ts";
import { type CanaryState, memoryCanaryState } from "../../../src/routing/canary/canary-state.ts";
import { testRequest } from "../../../src/testing/index.ts";
import { openResponse } from "../../support/open-response.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";

function fleetOf(options: FleetOptions): Fleet {
  const fleet = new Fleet(options);
  onTestFinished(() => fleet.close());
  return fleet;
}

const alone = { stateOf: () => undefined };
const receiver = { answered: () => {}, failed: () => {} };
const stepped = { steps: [10, 50, 100], stepMs: 30_000, minCalls: 20 };

describe("a canary of one process", () => {
  it("goes through its steps with enough calls and time, says that it decides alone, and ends its looks", async () => {
    const fleet = fleetOf({ ...alone, rate: 20, canary: stepped });
    const [canary] = fleet.canaries;
    expect(canary?.weights).toEqual([900_000, 100_000]);
    await fleet.run(29_000);
    expect(canary?.weights).toEqual([900_000, 100_000]);
    await fleet.run(3_000);
    expect(canary?.weights).toEqual([500_000, 500_000]);
    await fleet.run(40_000);
    expect(canary?.weights).toEqual([0, 1_000_000]);
    expect(fleet.events[0]?.map(({ change, isAlone, share }) => [change, isAlone, share])).toEqual([
      ["began", true, 0.1],
      ["step", true, 0.5],
      ["finished", true, 1],
    ]);
    expect(fleet.events[0]?.[0]?.why).toContain("decides alone");
    await fleet.clock.advance(10_000);
    expect(fleet.clock.pending).toEqual([]);
  });

  it("takes no step with too few calls, however long it takes", async () => {
    const fleet = fleetOf({ ...alone, rate: 0.5, canary: stepped });
    await fleet.run(90_000);
    expect(fleet.readings()[0]).toMatchObject({ state: "holding", step: 1, share: 0.1, why: expect.stringContaining("minCalls") });
  });

  it("holds at its last step below 100 %, and is judged there", async () => {
    let chance = 0;
    const fleet = fleetOf({
      ...alone,
      rate: 20,
      canary: { ...stepped, steps: [10, 20] },
      stable: { failures: () => 0 },
      second: { failures: () => chance },
    });
    await fleet.run(120_000);
    expect(fleet.readings()[0]).toMatchObject({ state: "holding", step: 2, share: 0.2, why: "the last step, 20 %" });
    chance = 0.5;
    await fleet.run(20_000);
    expect(fleet.readings()[0]).toMatchObject({ state: "rolled-back", share: 0 });
  });

  it("that fails is rolled back, stays so, and begins anew when an operator says so", async () => {
    const fleet = fleetOf({ ...alone, rate: 20, canary: stepped, second: { failures: () => 0.3 } });
    await fleet.run(60_000, () => fleet.states()[0] === "rolled-back");
    const [canary] = fleet.canaries;
    expect(canary?.weights).toEqual([1_000_000, 0]);
    expect(canary?.reading().why).toMatch(
      /^\d.* % of \d+ calls failed, .* of the stable target \(chance explains that once in [\d,]+ such canaries at most\)$/,
    );
    await fleet.run(120_000);
    expect(fleet.states()).toEqual(["rolled-back"]);
    canary?.resume();
    expect(canary?.reading()).toMatchObject({ state: "stepping", step: 1, canary: { calls: 0, failures: 0 } });
    expect(fleet.events[0]?.at(-1)).toMatchObject({ change: "resumed", share: 0.1 });
    canary?.rollBack("a bad feeling");
    expect(canary?.reading()).toMatchObject({ state: "rolled-back", why: "an operator: a bad feeling" });
  });

  it("that is slower than allowed is rolled back, and one that is a little slower is not", async () => {
    const slow = fleetOf({ ...alone, rate: 20, canary: stepped, second: { medianMs: 60 } });
    await slow.run(120_000, () => slow.states()[0] === "rolled-back");
    expect(slow.readings()[0]).toMatchObject({
      state: "rolled-back",
      why: expect.stringContaining("1.5 times the median of the stable target"),
    });
    for (const medianMs of [25, 10]) {
      const well = fleetOf({ ...alone, rate: 20, canary: stepped, second: { medianMs } });
      await well.run(120_000);
      expect(well.states()).toEqual(["finished"]);
    }
    // Some milliseconds are the difference between a warm instance and a cold one.
    const cold = fleetOf({ ...alone, rate: 20, canary: stepped, stable: { medianMs: 1 }, second: { medianMs: 2.5 } });
    await cold.run(120_000);
    expect(cold.states()).toEqual(["finished"]);
  });

  it("is not blamed for an outage of all while its share is large", async () => {
    const outage = (atMs: number) => (atMs > 40_000 && atMs < 55_000 ? 0.8 : 0.01);
    for (let seed = 1; seed <= 5; seed++) {
      const fleet = fleetOf({ ...alone, seed, rate: 20, canary: stepped, stable: { failures: outage }, second: { failures: outage } });
      await fleet.run(120_000);
      expect(fleet.states()).toEqual(["finished"]);
    }
  });

  it("is not judged by fewer than ten calls, whatever they are", () => {
    const fleet = fleetOf({ ...alone });
    const [canary] = fleet.canaries;
    for (let call = 0; call < 9; call++)
      canary?.follow(testRequest(), 1, undefined, receiver).failed(new MeshError("ERR_MESH_CONNECT", "no"));
    return fleet.clock.advance(2_000).then(() => expect(fleet.states()).toEqual(["stepping"]));
  });

  it("counts failures that a retry has made up for, and no call that its caller gave up or that this process refused", () => {
    const fleet = fleetOf({ ...alone });
    const canary = fleet.canaries[0] as NonNullable<(typeof fleet.canaries)[0]>;
    const attempt = { endpoint: "a", address: "a:1", phase: "headers", ms: 1, maybeExecuted: true } as const;
    const answer = (attempts: object[], status = 200) => {
      const response = openResponse(status);
      canary.follow(testRequest({ attempts: attempts as never }), 1, undefined, receiver).answered(response);
      return response;
    };
    const failures = () => canary.reading().canary;
    answer([
      { ...attempt, status: 503 },
      { ...attempt, status: 200 },
    ]).body.close();
    answer([
      { ...attempt, code: "ECONNREFUSED" },
      { ...attempt, status: 200 },
    ]).body.close();
    expect(failures()).toMatchObject({ calls: 2, failures: 2 });
    answer([
      { ...attempt, code: "AbortError" },
      { ...attempt, status: 200 },
    ]).body.close();
    answer([{ ...attempt, status: 404 }], 404).body.close();
    expect(failures()).toMatchObject({ calls: 4, failures: 2 });
    answer([{ ...attempt, status: 200 }]).body.close(new MeshError("ERR_MESH_BODY", "cut off"));
    answer([{ ...attempt, status: 200 }]).body.close(new DOMException("stop", "AbortError"));
    answer([{ ...attempt, status: 500 }], 500).body.close(new MeshError("ERR_MESH_BODY", "cut off"));
    expect(failures()).toMatchObject({ calls: 7, failures: 4 });
    for (const error of [
      new DOMException("stop", "AbortError"),
      new MeshError("ERR_MESH_LOCAL_RESOURCE", "no"),
      new MeshError("ERR_MESH_CLOSED", "no"),
    ])
      canary.follow(testRequest(), 1, undefined, receiver).failed(error);
    expect(failures()).toMatchObject({ calls: 7, failures: 4 });
    canary.follow(testRequest(), 1, undefined, receiver).failed(new MeshError("ERR_MESH_NO_ENDPOINTS", "none"));
    expect(failures()).toMatchObject({ calls: 8, failures: 5 });
  });

  it("counts each key that fails once, so that one caller that always fails is no proof", async () => {
    const bad = 0.999;
    const fleet = fleetOf({
      ...alone,
      rate: 20,
      canary: { ...stepped, steps: [10, 20] },
      stable: { failures: () => 0 },
      second: { failures: () => 1 },
      keyOf: (random) => (random() < 0.3 ? bad : 0.5 * random()),
    });
    await fleet.run(60_000);
    expect(fleet.readings()[0]).toMatchObject({ state: "holding", canary: { calls: expect.any(Number), failures: expect.any(Number) } });
    expect(fleet.readings()[0]?.canary.failures).toBeGreaterThan(100);
  });

  it("leaves no timer and counts nothing once it is closed", async () => {
    const fleet = fleetOf({ ...alone });
    await fleet.run(2_000);
    expect(fleet.clock.pending).toEqual([{ inMs: expect.any(Number), keepsProcess: false }]);
    fleet.close();
    expect(fleet.clock.pending).toEqual([]);
    expect(fleet.canaries[0]?.follow(testRequest(), 1, undefined, receiver)).toBe(receiver);
    expect(fleet.clock.pending).toEqual([]);
  });
});

describe("a canary of several processes", () => {
  const eight = { processes: 8, rate: 5 };

  it("takes each step everywhere, by the calls of all together", async () => {
    const fleet = fleetOf({ ...eight, canary: { steps: [5, 50, 100], stepMs: 30_000, minCalls: 50 } });
    await fleet.run(150_000);
    expect(new Set(fleet.states())).toEqual(new Set(["finished"]));
    const steps = fleet.events.map((told) => told.filter(({ change }) => change === "step" || change === "finished").length);
    expect(steps).toEqual(Array(8).fill(2));
    expect(fleet.readings()[3]).toMatchObject({ processes: 8, sharedBy: "memory" });
    expect(fleet.events.flat().every(({ isAlone }) => !isAlone)).toBe(true);
  });

  it("sends nothing to the canary before the shared decision is known, and begins with that", async () => {
    const state = memoryCanaryState();
    const first = fleetOf({ ...eight, stateOf: () => state, canary: stepped, second: { failures: () => 0.5 } });
    await first.run(60_000, () => first.states()[0] === "rolled-back");
    const second = fleetOf({ processes: 1, stateOf: () => state, canary: stepped });
    expect(second.canaries[0]?.weights).toEqual([1_000_000, 0]);
    await second.run(5_000);
    expect(second.canaries[0]?.weights).toEqual([1_000_000, 0]);
    expect(second.states()).toEqual(["rolled-back"]);
  });

  it("follows the word of an operator everywhere, to go back and to begin anew", async () => {
    const fleet = fleetOf({ ...eight, canary: stepped });
    await fleet.run(5_000);
    fleet.canaries[2]?.rollBack("a call");
    await fleet.run(3_000);
    expect(new Set(fleet.states())).toEqual(new Set(["rolled-back"]));
    fleet.canaries[5]?.resume();
    await fleet.run(8_000);
    expect(new Set(fleet.states())).toEqual(new Set(["stepping"]));
    expect(new Set(fleet.readings().map(({ share }) => share))).toEqual(new Set([0.1]));
  });

  it("keeps the last decision while its state is lost, says so once, goes back alone on proof, and tells the others later", async () => {
    let isDown = false;
    const shared = memoryCanaryState();
    const failing: CanaryState = {
      ...shared,
      read: (...given) => (isDown ? Promise.reject(new Error("ECONNREFUSED")) : shared.read(...given)),
      write: (...given) => (isDown ? Promise.reject(new Error("ECONNREFUSED")) : shared.write(...given)),
    };
    let chance = 0;
    const fleet = fleetOf({
      processes: 3,
      rate: 20,
      stateOf: (process) => (process === 0 ? failing : shared),
      canary: { steps: [20, 40], stepMs: 10_000, minCalls: 10 },
      stable: { failures: () => 0 },
      second: { failures: () => chance },
    });
    await fleet.run(5_000);
    isDown = true;
    await fleet.run(20_000);
    expect(fleet.readings().map(({ share }) => share)).toEqual([0.2, 0.4, 0.4]);
    expect(fleet.events[0]?.filter(({ change }) => change === "state-lost")).toEqual([
      expect.objectContaining({ isAlone: true, why: expect.stringContaining("ECONNREFUSED; the last decision stays") }),
    ]);
    chance = 0.9;
    for (let second = 0; second < 20; second++) {
      for (let call = 0; call < 20; call++) fleet.call(0);
      await fleet.clock.advance(1_000);
    }
    expect(fleet.states()).toEqual(["rolled-back", "holding", "holding"]);
    expect(fleet.readings()[0]?.why).toContain("decided by this process alone, since memory does not answer");
    isDown = false;
    await fleet.clock.advance(12_000);
    expect(fleet.states()).toEqual(["rolled-back", "rolled-back", "rolled-back"]);
    expect(fleet.events[0]?.map(({ change }) => change)).toContain("state-found");
  });

  it("is not held up by a state that never answers, and leaves nothing behind", async () => {
    const silent: CanaryState = { name: "silent", read: () => new Promise(() => {}), write: () => new Promise(() => {}) };
    const fleet = fleetOf({ processes: 1, stateOf: () => silent, canary: stepped });
    await fleet.run(10_000);
    expect(fleet.readings()[0]).toMatchObject({ share: 0, stateError: "no answer within 2000 ms" });
    fleet.close();
    await fleet.clock.advance(5_000);
    expect(fleet.clock.pending).toEqual([]);
  });

  it("believes no entry that is none", async () => {
    const shared = memoryCanaryState();
    const signal = new AbortController().signal;
    for (const value of [
      "",
      "null",
      "{}",
      '{"run":0,"counts":[[1]]}',
      '{"run":0,"counts":[[1,2,3,4,5,6,7,8,9,-1]]}',
      '{"state":"finished","step":99}',
    ])
      await shared.write("orders", `process ${value}`, value, "own", signal);
    await shared.write("orders", "decision", '{"state":"finished","step":99,"sinceMs":1,"why":"","run":0}', "absent", signal);
    const fleet = fleetOf({ processes: 2, stateOf: () => shared, canary: stepped });
    await fleet.run(3_000);
    expect(fleet.readings()[0]).toMatchObject({ state: "stepping", step: 1, processes: 2 });
  });
});
