import { describe, expect, it, vi } from "vitest";
import { Circuit, type CircuitOptions } from "../../src/circuit/circuit.ts";
import type { CircuitPermit } from "../../src/circuit/circuit-permit.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { clock, disposedAtEnd, inVirtualTime } from "../support/virtual-time.ts";

inVirtualTime();

function circuitOf(options: Partial<CircuitOptions> = {}) {
  const states: string[] = [];
  const calls: string[] = [];
  const circuit = new Circuit({
    failureRatio: 0.5,
    minOutcomes: 20,
    consecutiveFailures: Number.POSITIVE_INFINITY,
    pauses: { baseMs: 1_000, maxMs: 30_000 },
    clock,
    random: () => 0.5,
    onState: (state) => states.push(state),
    onQuiet: () => calls.push("quiet"),
    onProbeOverdue: () => calls.push("overdue"),
    ...options,
  });
  disposedAtEnd(circuit);
  return { circuit, states, calls };
}

/** Lets opossum's promises go on. */
const settled = () => clock.advance(0);

function admitted(circuit: Circuit): CircuitPermit {
  const permit = circuit.admit();
  if (permit === undefined) throw new Error(`not admitted: ${circuit.state}`);
  return permit;
}

async function report(circuit: Circuit, outcome: "success" | "failure" | "neutral", times = 1, isRefused = false): Promise<void> {
  for (let index = 0; index < times; index++) {
    circuit.settle(admitted(circuit), outcome, { isRefused });
    await settled();
  }
}

/** Opens a circuit at once. */
async function trip(circuit: Circuit): Promise<void> {
  await report(circuit, "failure", 1, true);
  expect(circuit.state).toBe("open");
}

describe("opening", () => {
  it("takes at least minOutcomes: one failure opens nothing", async () => {
    const { circuit, states } = circuitOf();
    await report(circuit, "failure", 19);
    expect(states).toEqual([]);
    await report(circuit, "failure");
    expect(states).toEqual(["open"]);
  });

  it("takes more than the ratio of failures, not as many", async () => {
    const { circuit } = circuitOf();
    for (let round = 0; round < 15; round++) {
      await report(circuit, "success");
      await report(circuit, "failure");
    }
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure");
    expect(circuit.state).toBe("open");
  });

  it("counts the successes from before the first failure: a burst of failures in much traffic is no outage", async () => {
    const { circuit } = circuitOf();
    await report(circuit, "success", 1_000);
    const burst = Array.from({ length: 200 }, () => admitted(circuit));
    for (const permit of burst) circuit.settle(permit, "failure");
    await settled();
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure", 801);
    expect(circuit.state).toBe("open");
  });

  it("forgets what is older than ten seconds, successes and failures alike", async () => {
    const failing = circuitOf();
    await report(failing.circuit, "failure", 19);
    await clock.advance(10_000);
    await report(failing.circuit, "failure", 19);
    expect(failing.circuit.state).toBe("closed");
    const healthy = circuitOf();
    await report(healthy.circuit, "success", 1_000);
    await clock.advance(9_000);
    await report(healthy.circuit, "failure", 30);
    expect(healthy.circuit.state).toBe("closed");
    await clock.advance(1_000);
    await report(healthy.circuit, "failure", 1);
    expect(healthy.circuit.state).toBe("open");
  });

  it("goes on counting successes after the window has turned", async () => {
    const { circuit } = circuitOf();
    await clock.advance(25_000);
    await report(circuit, "success", 100);
    await report(circuit, "failure", 50);
    expect(circuit.state).toBe("closed");
  });

  it("counts a neutral outcome neither way", async () => {
    const { circuit } = circuitOf();
    await report(circuit, "neutral", 1_000);
    await report(circuit, "failure", 19);
    await report(circuit, "neutral", 1_000);
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure");
    expect(circuit.state).toBe("open");
  });

  it("happens after so many failures in a row, which one success breaks and a neutral outcome does not", async () => {
    const { circuit } = circuitOf({ consecutiveFailures: 5 });
    await report(circuit, "failure", 4);
    await report(circuit, "success");
    await report(circuit, "failure", 4);
    expect(circuit.state).toBe("closed");
    await report(circuit, "neutral");
    await report(circuit, "failure");
    expect(circuit.state).toBe("open");
  });

  it("happens at one failure that trips, at once", () => {
    const { circuit, states } = circuitOf();
    circuit.settle(admitted(circuit), "failure", { isRefused: true });
    expect([circuit.state, states, circuit.admit()]).toEqual(["open", ["open"], undefined]);
  });

  it("takes a threshold with a fraction for the next whole number", async () => {
    const { circuit } = circuitOf({ minOutcomes: 2.5 });
    await report(circuit, "failure", 2);
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure");
    expect(circuit.state).toBe("open");
  });

  it("happens once when many fail together", async () => {
    const { circuit, states } = circuitOf();
    const permits = Array.from({ length: 100 }, () => admitted(circuit));
    for (const permit of permits) circuit.settle(permit, "failure");
    await settled();
    expect(states).toEqual(["open"]);
  });
});

describe("coming back", () => {
  it("takes one probe after the pause, and nobody else while it is under way", async () => {
    const { circuit, states } = circuitOf();
    await trip(circuit);
    await clock.advance(999);
    expect([circuit.admit(), circuit.wantsProbe]).toEqual([undefined, false]);
    await clock.advance(1);
    expect([circuit.state, circuit.wantsProbe]).toEqual(["half-open", true]);
    const probe = admitted(circuit);
    expect([probe.kind, circuit.admit(), circuit.wantsProbe]).toEqual(["probe", undefined, false]);
    circuit.settle(probe, "success");
    expect(circuit.admit(), "not before opossum has closed").toBeUndefined();
    await settled();
    expect([states, admitted(circuit).kind]).toEqual([["open", "half-open", "closed"], "normal"]);
  });

  it("doubles the pause with every probe that fails, up to the longest, and begins anew after a success", async () => {
    const { circuit } = circuitOf({ pauses: { baseMs: 1_000, maxMs: 5_000 } });
    await trip(circuit);
    for (const pauseMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      await clock.advance(pauseMs - 1);
      expect(circuit.state).toBe("open");
      await clock.advance(1);
      expect(circuit.state).toBe("half-open");
      await report(circuit, "failure");
      expect(circuit.state).toBe("open");
    }
    await clock.advance(5_000);
    await report(circuit, "success");
    await trip(circuit);
    await clock.advance(1_000);
    expect(circuit.state).toBe("half-open");
  });

  it("varies every pause by ± 20 %, the longest too", async () => {
    for (const [random, factor] of [
      [0, 0.8],
      [0.999_999, 1.2],
    ] as const) {
      const { circuit } = circuitOf({ random: () => random, pauses: { baseMs: 1_000, maxMs: 2_000 } });
      await trip(circuit);
      for (const pauseMs of [1_000, 2_000, 2_000]) {
        await clock.advance(Math.floor(pauseMs * factor) - 2);
        expect(circuit.state).toBe("open");
        await clock.advance(4);
        expect(circuit.state).toBe("half-open");
        await report(circuit, "failure");
      }
    }
  });

  it("does not come at once where the pause is longer than a timer of Node's", async () => {
    const { circuit } = circuitOf({ pauses: { baseMs: 1e12, maxMs: 1e12 } });
    await trip(circuit);
    expect(clock.pending.at(-1)?.inMs).toBe(2 ** 31 - 1);
  });

  it("does not re-open at the first failure: the failures from before are forgotten when it closes", async () => {
    const { circuit } = circuitOf();
    await report(circuit, "failure", 20);
    await clock.advance(1_000);
    await report(circuit, "success");
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure", 19);
    expect(circuit.state).toBe("closed");
    await report(circuit, "failure");
    expect(circuit.state).toBe("open");
  });

  it("counts failures in a row from the closing on", async () => {
    const { circuit } = circuitOf({ consecutiveFailures: 3 });
    await report(circuit, "failure", 3);
    await clock.advance(1_000);
    await report(circuit, "success");
    await report(circuit, "failure", 2);
    expect(circuit.state).toBe("closed");
  });

  it("counts failures in a row anew when it was closed from outside", async () => {
    const { circuit } = circuitOf({ consecutiveFailures: 3 });
    await report(circuit, "failure", 3);
    circuit.close(circuit.panicPermit);
    await report(circuit, "failure", 2);
    expect(circuit.state).toBe("closed");
  });

  it("can be brought about from outside, at any time", async () => {
    const { circuit, states } = circuitOf();
    circuit.close(circuit.panicPermit);
    await trip(circuit);
    circuit.close(circuit.panicPermit);
    expect(circuit.state).toBe("closed");
    await trip(circuit);
    await clock.advance(1_000);
    const probe = admitted(circuit);
    circuit.close(circuit.panicPermit);
    circuit.settle(probe, "failure", { isRefused: true });
    await clock.advance(60_000);
    expect(states).toEqual(["open", "closed", "open", "half-open", "closed"]);
  });
});

describe("an outcome of an earlier generation", () => {
  it("that is a failure re-opens nothing that a probe has closed", async () => {
    const { circuit } = circuitOf({ consecutiveFailures: 1 });
    const late = admitted(circuit);
    await trip(circuit);
    await clock.advance(1_000);
    await report(circuit, "success");
    circuit.settle(late, "failure", { isRefused: true });
    await settled();
    expect(circuit.state).toBe("closed");
  });

  it("that is a success closes nothing, open or half-open", async () => {
    const { circuit } = circuitOf();
    const late = [admitted(circuit), admitted(circuit)] as const;
    await trip(circuit);
    circuit.settle(late[0], "success");
    await settled();
    expect(circuit.state).toBe("open");
    await clock.advance(1_000);
    circuit.settle(late[1], "success");
    await settled();
    expect(circuit.state).toBe("half-open");
  });

  it("that is a failure does not take the place of the probe's", async () => {
    const { circuit } = circuitOf();
    const late = admitted(circuit);
    await trip(circuit);
    await clock.advance(1_000);
    const probe = admitted(circuit);
    circuit.settle(late, "failure");
    circuit.settle(late, "neutral");
    await settled();
    expect([circuit.state, circuit.admit()]).toEqual(["half-open", undefined]);
    circuit.settle(probe, "success");
    await settled();
    expect(circuit.state).toBe("closed");
  });

  it("that is another circuit's counts for nothing", async () => {
    const one = circuitOf().circuit;
    const other = circuitOf().circuit;
    for (const circuit of [one, other]) {
      await trip(circuit);
      await clock.advance(1_000);
    }
    other.settle(admitted(one), "success");
    await settled();
    expect(other.state).toBe("half-open");
  });
});

describe("a probe", () => {
  it("that tells nothing leaves its place to the next request", async () => {
    const { circuit } = circuitOf();
    await trip(circuit);
    await clock.advance(1_000);
    await report(circuit, "neutral");
    expect(circuit.wantsProbe).toBe(true);
    await report(circuit, "success");
    expect(circuit.state).toBe("closed");
  });

  it("that never ends keeps the others out for ten seconds, not for ever", async () => {
    const { circuit, calls } = circuitOf();
    await trip(circuit);
    await clock.advance(1_000);
    const hanging = admitted(circuit);
    await clock.advance(9_900);
    expect([circuit.admit(), calls]).toEqual([undefined, []]);
    await clock.advance(1_200);
    expect([circuit.wantsProbe, calls]).toEqual([true, ["overdue"]]);
    const second = admitted(circuit);
    circuit.settle(hanging, "neutral");
    expect(circuit.admit(), "the second one is still under way").toBeUndefined();
    circuit.settle(second, "success");
    await settled();
    expect(circuit.state).toBe("closed");
    circuit.settle(hanging, "failure", { isRefused: true });
    await settled();
    expect(circuit.state).toBe("closed");
  });

  it("that is overdue still counts when it ends: where every call takes that long it is all there is", async () => {
    const { circuit } = circuitOf();
    await trip(circuit);
    await clock.advance(1_000);
    const slow = admitted(circuit);
    await clock.advance(15_000);
    circuit.settle(slow, "success");
    await settled();
    expect(circuit.state).toBe("closed");
  });
});

describe("quiet", () => {
  it("is when nothing has failed for ten seconds, told once", async () => {
    const { circuit, calls } = circuitOf();
    await report(circuit, "failure");
    await clock.advance(9_000);
    await report(circuit, "failure");
    await report(circuit, "success");
    await clock.advance(9_900);
    expect(calls).toEqual([]);
    await clock.advance(60_000);
    expect(calls).toEqual(["quiet"]);
    await report(circuit, "failure");
    await clock.advance(12_000);
    expect(calls).toEqual(["quiet", "quiet"]);
  });

  it("is no circuit that is open or half-open, and begins anew when it closes", async () => {
    const { circuit, calls } = circuitOf({ pauses: { baseMs: 30_000, maxMs: 30_000 } });
    await trip(circuit);
    await clock.advance(60_000);
    expect([circuit.state, calls]).toEqual(["half-open", []]);
    await report(circuit, "success");
    await clock.advance(9_900);
    expect(calls).toEqual([]);
    await clock.advance(1_200);
    expect(calls).toEqual(["quiet"]);
  });

  it("is not told of a circuit that never failed", async () => {
    const { circuit, calls } = circuitOf();
    await report(circuit, "success", 10);
    await clock.advance(60_000);
    expect(calls).toEqual([]);
  });
});

describe("dispose", () => {
  it("leaves no timer, whatever the state, and the shared one only while another circuit lives", async () => {
    const circuits = [circuitOf(), circuitOf(), circuitOf(), circuitOf()].map(({ circuit }) => circuit);
    const [, open, halfOpen, probing] = circuits as [Circuit, Circuit, Circuit, Circuit];
    await trip(halfOpen);
    await trip(probing);
    await clock.advance(1_000);
    admitted(probing);
    await trip(open);
    expect(clock.pending.length).toBe(2);
    for (const circuit of circuits) {
      expect(clock.pending.length).toBeGreaterThan(0);
      circuit.dispose();
    }
    expect(clock.pending.length).toBe(0);
  });

  it("has one timer turn the windows of all on a clock, which keeps no process alive", async () => {
    for (let index = 0; index < 100; index++) circuitOf();
    expect(clock.pending).toEqual([{ inMs: 1_000, keepsProcess: false }]);
    const other = virtualClock();
    const { circuit } = circuitOf({ clock: other });
    await other.advance(2_500);
    expect([other.pending, clock.pending]).toEqual([[{ inMs: 500, keepsProcess: false }], [{ inMs: 1_000, keepsProcess: false }]]);
    circuit.dispose();
    expect([other.pending.length, clock.pending.length]).toEqual([0, 1]);
  });

  it("sets no timer but the clock's, save one of opossum's that never matters and goes with it", async () => {
    const { circuit, states } = circuitOf();
    expect(vi.getTimerCount()).toBe(0);
    await trip(circuit);
    expect(clock.pending.map(({ keepsProcess }) => keepsProcess)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(states, "an hour of the process's time").toEqual(["open"]);
    await clock.advance(1_000);
    expect([states, vi.getTimerCount()]).toEqual([["open", "half-open"], 0]);
    await report(circuit, "failure");
    await clock.advance(2_000);
    await report(circuit, "success");
    expect([states, vi.getTimerCount(), clock.pending.length]).toEqual([["open", "half-open", "open", "half-open", "closed"], 0, 1]);
  });

  it("lets everything through afterwards, counts nothing and says nothing", async () => {
    const { circuit, states } = circuitOf();
    await trip(circuit);
    circuit.dispose();
    circuit.dispose();
    expect(circuit.state).toBe("closed");
    circuit.settle(admitted(circuit), "failure", { isRefused: true });
    circuit.settle(admitted(circuit), "failure");
    await clock.advance(5_000);
    circuit.close(circuit.panicPermit);
    expect([circuit.state, admitted(circuit).kind, states, clock.pending.length]).toEqual(["closed", "normal", ["open"], 0]);
  });
});
