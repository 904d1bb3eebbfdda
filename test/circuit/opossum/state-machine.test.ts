import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buckets, StateMachine } from "../../../src/circuit/opossum/state-machine.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

function machineOf({ failureRatio = 0.5, minOutcomes = 4 } = {}) {
  const changes: string[] = [];
  const machine = new StateMachine({
    failureRatio,
    minOutcomes,
    onOpen: () => changes.push("open"),
    onClose: () => changes.push("closed"),
  });
  const report = async (outcome: "success" | "failure", times = 1) => {
    for (let time = 0; time < times; time++) machine.report(outcome);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { machine, changes, report };
}

describe("the state machine", () => {
  it("opens by itself at more than the share of failures, of enough outcomes", async () => {
    const { machine, changes, report } = machineOf();
    await report("failure", 3);
    expect(changes).toEqual([]);
    await report("failure");
    expect(changes).toEqual(["open"]);
    machine.shutdown();
  });

  it("takes a success that is added for one that is reported", async () => {
    const { machine, changes, report } = machineOf();
    for (let time = 0; time < 4; time++) machine.addSuccess();
    await report("failure", 4);
    expect(changes).toEqual([]);
    await report("failure");
    expect(changes).toEqual(["open"]);
    machine.shutdown();
  });

  it("forgets outcomes when its window has turned, or is emptied", async () => {
    const { machine, changes, report } = machineOf();
    await report("failure", 3);
    for (let turn = 0; turn < buckets; turn++) machine.turnWindow();
    await report("failure", 3);
    machine.emptyWindow();
    await report("failure", 3);
    expect(changes).toEqual([]);
    await report("failure");
    expect(changes).toEqual(["open"]);
    machine.shutdown();
  });

  it("half-open is decided by one report, and begins with an empty window", async () => {
    const { machine, changes, report } = machineOf();
    machine.open();
    machine.halfOpen();
    await report("failure");
    expect(changes).toEqual(["open", "open"]);
    machine.halfOpen();
    await report("success");
    expect(changes).toEqual(["open", "open", "closed"]);
    await report("failure", 2);
    expect(changes, "three outcomes, the probe's among them").toHaveLength(3);
    machine.shutdown();
  });

  it("says nothing of what it is told to be already, nor after its end", async () => {
    const { machine, changes, report } = machineOf({ minOutcomes: 1 });
    machine.close();
    machine.open();
    machine.open();
    machine.close();
    expect(changes).toEqual(["open", "closed"]);
    machine.report("failure");
    machine.shutdown();
    await report("failure", 5);
    expect(changes).toHaveLength(2);
  });
});
