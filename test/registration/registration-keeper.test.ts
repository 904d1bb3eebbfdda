import { describe, expect, it, vi } from "vitest";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import { RegistrationKeeper } from "../../src/registration/registration-keeper.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedEntry } from "./scripted-entry.ts";

/** A keeper of an entry that has just been announced. */
function kept({ renewMs = 10_000, random = () => 1 }: { readonly renewMs?: number; readonly random?: () => number } = {}) {
  const entry = new ScriptedEntry(renewMs);
  const clock = virtualClock();
  const errors: Error[] = [];
  const keeper = new RegistrationKeeper(entry, { clock, random, onRenewalError: (error) => errors.push(error) });
  const fail = (message = "down") => {
    entry.script = () => {
      throw new Error(message);
    };
  };
  const heal = () => {
    entry.script = () => "known";
  };
  const pauses = () => clock.pending.map(({ inMs }) => inMs);
  return { entry, clock, errors, keeper, fail, heal, pauses };
}

describe("a kept registration", () => {
  it("is renewed at nine to ten tenths of the interval, by a timer that keeps no process alive", async () => {
    for (const [random, pauseMs] of [
      [0, 9_000],
      [0.5, 9_500],
      [1, 10_000],
    ] as const) {
      const { entry, clock, keeper } = kept({ random: () => random });
      expect(clock.pending).toEqual([{ inMs: pauseMs, keepsProcess: false }]);
      await clock.advance(pauseMs - 1);
      expect(entry.calls()).toEqual([]);
      await clock.advance(1);
      expect(entry.calls()).toEqual(["renew up unawaited"]);
      expect(clock.pending).toEqual([{ inMs: pauseMs, keepsProcess: false }]);
      await keeper.deregister();
    }
  });

  it("backs off with full jitter while renewals fail, reports each, and returns to the interval with the first that succeeds", async () => {
    const { entry, clock, errors, keeper, fail, heal, pauses } = kept({ random: seededRandom(11) });
    const drawn = seededRandom(11);
    const before = 10_000 * (0.9 + 0.1 * drawn());
    fail();
    await clock.advance(before);
    for (let failures = 1; failures <= 30; failures++) {
      const expected = Math.max(50, drawn() * Math.min(10_000, 5_000, 250 * 2 ** failures));
      expect(pauses()).toEqual([expect.closeTo(expected, 3)]);
      expect(errors).toHaveLength(failures);
      await clock.advance((pauses()[0] as number) + 1e-9);
    }
    expect(errors[0]).toMatchObject({ code: "ERR_MESH_REGISTRATION", message: "scripted: renew o1: down" });
    heal();
    drawn();
    await clock.advance((pauses()[0] as number) + 1e-9);
    expect(pauses()).toEqual([expect.closeTo(10_000 * (0.9 + 0.1 * drawn()), 3)]);
    expect(errors).toHaveLength(31);
    await keeper.deregister();
    expect(new Set(entry.calls())).toEqual(new Set(["renew up unawaited", "withdraw"]));
  });

  it("never waits longer for a retry than for a renewal, and never less than 50 ms", async () => {
    const { clock, fail, pauses, keeper } = kept({ renewMs: 300 });
    fail();
    await clock.advance(300);
    expect(pauses()).toEqual([300]);
    await keeper.deregister().catch(() => {});
    const restless = kept({ random: () => 0 });
    restless.fail();
    await restless.clock.advance(9_000);
    expect(restless.pauses()).toEqual([50]);
  });

  it.each<InstanceStatus>(["up", "down", "out-of-service"])(
    "is announced as %s again when the registry has forgotten it, and then renewed as before",
    async (status) => {
      const { entry, clock, keeper, errors } = kept();
      await keeper.setStatus(status);
      entry.calls();
      entry.script = (what) => (what.startsWith("renew") ? "forgotten" : "known");
      await clock.advance(10_000);
      expect(entry.calls()).toEqual([`renew ${status} unawaited`, `announce ${status} unawaited`]);
      expect(errors.map(({ message }) => message)).toEqual([
        "scripted: renew o1: the registry did not know it any more, and has taken it again (it was restarted without its data)",
      ]);
      entry.script = () => "known";
      await clock.advance(10_000);
      expect(entry.calls()).toEqual([`renew ${status} unawaited`]);
    },
  );

  it("reports its status anew after an announcement that failed", async () => {
    const { entry, clock, pauses, heal } = kept();
    entry.script = (what) => {
      if (what.startsWith("announce")) throw new Error("down");
      return "forgotten";
    };
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew up unawaited", "announce up unawaited"]);
    expect(pauses()).toEqual([500]);
    heal();
    await clock.advance(500);
    expect(entry.calls()).toEqual(["report up unawaited"]);
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew up unawaited"]);
  });

  it("announces a status that is set while the registry has forgotten it", async () => {
    const { entry, keeper } = kept();
    entry.script = (what) => (what.startsWith("report") ? "forgotten" : "known");
    await keeper.setStatus("down");
    expect(entry.calls()).toEqual(["report down", "announce down"]);
    expect(keeper.status).toBe("down");
  });

  it("announces the newest status when it is set while the registry is found to have forgotten it", async () => {
    const { entry, clock, keeper } = kept();
    entry.script = (what) => (what.startsWith("renew") ? "hold" : "known");
    await clock.advance(10_000);
    const set = keeper.setStatus("out-of-service");
    entry.held[0]?.answer("forgotten");
    await set;
    expect(entry.calls(), "told once").toEqual(["renew up unawaited", "announce out-of-service unawaited"]);
  });

  it("remembers a status that is set while renewals fail, and reports it with the first that succeeds", async () => {
    const { entry, clock, keeper, fail, heal, pauses } = kept();
    fail();
    await clock.advance(10_000);
    await expect(keeper.setStatus("down")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: "scripted: report o1: down",
    });
    expect([keeper.status, pauses()]).toEqual(["down", [500]]);
    entry.calls();
    heal();
    await clock.advance(500);
    expect(entry.calls()).toEqual(["report down unawaited"]);
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew down unawaited"]);
  });

  it("reports a status behind a renewal that hangs and then fails, without waiting for the next", async () => {
    const { entry, clock, keeper, errors } = kept();
    entry.script = (what) => (what.startsWith("renew") ? "hold" : "known");
    await clock.advance(10_000);
    const set = keeper.setStatus("down");
    await clock.advance(100);
    expect(entry.calls()).toEqual(["renew up unawaited"]);
    entry.held[0]?.fail(new Error("slow"));
    await set;
    expect(entry.calls()).toEqual(["report down"]);
    expect(errors).toMatchObject([{ message: "scripted: renew o1: slow" }]);
  });

  it("reports only the last of several statuses that are set at once", async () => {
    const { entry, keeper } = kept();
    entry.script = () => "hold";
    const first = keeper.setStatus("down");
    const others = [keeper.setStatus("up"), keeper.setStatus("out-of-service")];
    entry.script = () => "known";
    entry.held[0]?.answer();
    await Promise.all([first, ...others]);
    expect(entry.calls()).toEqual(["report down", "report out-of-service"]);
  });

  it("makes one call at a time, in the order they were asked for", async () => {
    const { entry, clock, keeper, errors } = kept();
    entry.script = () => "hold";
    const renewed = keeper.renew();
    const set = keeper.setStatus("down");
    entry.held[0]?.answer();
    await clock.advance(0);
    const again = keeper.renew();
    const ended = keeper.deregister();
    await clock.advance(0);
    expect(entry.calls()).toEqual(["renew up unawaited", "report down"]);
    entry.script = () => "known";
    entry.held[1]?.answer();
    await Promise.all([renewed, set, again, ended]);
    expect([entry.calls(), errors, clock.pending]).toEqual([["withdraw"], [], []]);
  });

  it("reports a status that it has already when it is asked to", async () => {
    const { entry, keeper } = kept();
    await keeper.setStatus("up");
    expect(entry.calls()).toEqual(["report up"]);
  });

  it("refuses a status that is none and keeps the one it has", async () => {
    const { entry, keeper } = kept();
    await expect(keeper.setStatus("UP" as InstanceStatus)).rejects.toThrow(
      new TypeError(`the status of o1 must be "up", "down" or "out-of-service", got 'UP'`),
    );
    expect([keeper.status, entry.calls()]).toEqual(["up", []]);
  });

  it("goes on when the listener of failures throws", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const entry = new ScriptedEntry();
    const clock = virtualClock();
    const onRenewalError = () => {
      throw new Error("the log is full");
    };
    new RegistrationKeeper(entry, { clock, random: () => 1, onRenewalError });
    entry.script = () => {
      throw new Error("down");
    };
    await clock.advance(10_000);
    const text = "onRenewalError of a registration threw: the log is full";
    expect(warning.mock.calls).toEqual([[text, "MeshCallbackWarning"]]);
    warning.mockRestore();
    expect(clock.pending.map(({ inMs }) => inMs)).toEqual([500]);
  });

  it("has no timer when its entry never expires, also after a failure, and is renewed when it is told to", async () => {
    const { entry, clock, keeper, errors } = kept({ renewMs: Number.POSITIVE_INFINITY });
    expect(clock.pending).toEqual([]);
    entry.script = (what) => {
      if (what.startsWith("announce")) throw new Error("down");
      return "forgotten";
    };
    await keeper.renew();
    expect([errors.length, clock.pending]).toEqual([1, []]);
    entry.calls();
    entry.script = () => "known";
    await keeper.renew();
    expect(entry.calls()).toEqual(["report up unawaited"]);
    await clock.advance(1_000_000);
    expect(entry.calls()).toEqual([]);
  });

  it("has one timer however often it is renewed out of turn", async () => {
    const { entry, clock, keeper } = kept();
    await Promise.all([keeper.renew(), keeper.renew(), keeper.renew()]);
    expect(clock.pending).toHaveLength(1);
    entry.calls();
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew up unawaited"]);
  });
});

describe("the end of a kept registration", () => {
  it("is one withdrawal, however often it is disposed, and leaves no timer", async () => {
    const { entry, clock, keeper } = kept();
    await Promise.all([keeper[Symbol.asyncDispose](), keeper[Symbol.asyncDispose](), keeper.deregister()]);
    await keeper.deregister();
    expect([entry.calls(), clock.pending]).toEqual([["withdraw"], []]);
    await clock.advance(100_000);
    expect(entry.calls()).toEqual([]);
  });

  it("comes after an announcement that is under way, and nothing comes after it", async () => {
    const { entry, clock, keeper, errors } = kept();
    entry.script = (what) => (what.startsWith("announce") ? "hold" : "forgotten");
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew up unawaited", "announce up unawaited"]);
    const ended = keeper.deregister();
    await clock.advance(999);
    expect(entry.calls(), "the announcement might be carried out after the withdrawal").toEqual([]);
    entry.held[0]?.fail(new Error("late"));
    await ended;
    expect(entry.calls()).toEqual(["withdraw"]);
    await clock.advance(100_000);
    expect([entry.calls(), clock.pending, errors]).toEqual([[], [], []]);
  });

  it.each([
    ["a renewal", "renew", undefined],
    ["a report", "report", "down"],
  ] as const)("cuts off %s that hangs after a second, so that the registry is asked at all", async (_what, action, status) => {
    const { entry, clock, keeper } = kept();
    entry.script = (what) => (what.startsWith(action) ? "hold" : "known");
    const told = status === undefined ? undefined : keeper.setStatus(status).catch((error: unknown) => error);
    if (status === undefined) await clock.advance(10_000);
    const ended = keeper.deregister();
    await clock.advance(999);
    expect(entry.calls()).toEqual([expect.stringContaining(action)]);
    await clock.advance(1);
    await ended;
    expect([entry.calls(), clock.pending]).toEqual([["withdraw"], []]);
    if (told !== undefined) expect(await told).toMatchObject({ code: "ERR_MESH_REGISTRATION" });
  });

  it("comes though the registry does not say whose entry it is, heeding no signal", async () => {
    const { entry, clock, keeper } = kept();
    Object.assign(entry, { isReplaced: () => new Promise<boolean>(() => {}) });
    const ended = keeper.deregister();
    await clock.advance(499);
    expect(entry.calls()).toEqual([]);
    await clock.advance(1);
    await ended;
    expect([entry.calls(), clock.pending]).toEqual([["withdraw"], []]);
  });

  it("keeps a registry that has forgotten the instance from being told of it again", async () => {
    const { entry, clock, keeper } = kept();
    entry.script = (what) => (what.startsWith("renew") ? "hold" : "forgotten");
    await clock.advance(10_000);
    const set = keeper.setStatus("down");
    const ended = keeper.deregister();
    entry.held[0]?.answer("forgotten");
    await Promise.all([set, ended]);
    expect(entry.calls()).toEqual(["renew up unawaited", "withdraw"]);
  });

  it("can be asked for again after it failed, and nothing is renewed in between", async () => {
    const { entry, clock, keeper, fail, heal } = kept();
    fail();
    await expect(keeper.deregister()).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION", message: "scripted: withdraw o1: down" });
    await clock.advance(100_000);
    expect([entry.calls(), clock.pending]).toEqual([["withdraw"], []]);
    heal();
    await keeper.deregister();
    expect(entry.calls()).toEqual(["withdraw"]);
  });

  it("rejects with the reason of its signal, and can be asked for again", async () => {
    const { entry, keeper } = kept();
    entry.script = () => "hold";
    const controller = new AbortController();
    const ended = keeper.deregister(controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    entry.script = () => "known";
    await keeper.deregister();
    expect(entry.calls()).toEqual(["withdraw", "withdraw"]);
  });

  it("is for good: a status that is set afterwards is refused", async () => {
    const { entry, keeper } = kept();
    await keeper.deregister();
    entry.calls();
    await expect(keeper.setStatus("up")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: "scripted: report o1: it is deregistered",
    });
    await keeper.renew();
    expect(entry.calls()).toEqual([]);
  });
});

describe("a kept registration whose id another process has taken", () => {
  /** A keeper whose entry has been replaced for as long as `isReplaced` says. */
  function shared() {
    const reports: string[] = [];
    const owner = { isWaiting: true, status: () => "up" as const, onReport: ({ type }: { type: string }) => reports.push(type) };
    const state = { isReplaced: true };
    const entry = new ScriptedEntry();
    Object.assign(entry, { isReplaced: async () => state.isReplaced });
    const clock = virtualClock();
    const errors: string[] = [];
    const keeper = new RegistrationKeeper(entry, { clock, random: () => 1, owner, onRenewalError: ({ message }) => errors.push(message) });
    return { entry, clock, keeper, state, reports, errors };
  }

  it("is said once and left alone", async () => {
    const { entry, clock, reports, errors } = shared();
    await clock.advance(10_000);
    expect(entry.calls(), "it cannot know before").toEqual(["renew up unawaited"]);
    await clock.advance(60_000);
    expect([entry.calls(), reports]).toEqual([[], ["replaced"]]);
    expect(errors).toEqual([
      "scripted: renew o1: another process has registered under this id since, to which it is left: every process needs an id of its own",
    ]);
  });

  it("gets neither its status nor its weight, nor is it removed", async () => {
    const { entry, keeper } = shared();
    await expect(keeper.setStatus("out-of-service")).rejects.toThrow("report o1: another process has registered under this id");
    await expect(keeper.setWeight(2)).rejects.toThrow("reweigh o1: another process has registered under this id");
    await keeper.deregister();
    expect(entry.calls()).toEqual([]);
  });

  it("comes back when the other one has gone", async () => {
    const { entry, clock, keeper, state, reports } = shared();
    await clock.advance(20_000);
    state.isReplaced = false;
    entry.calls();
    entry.script = (what) => (what.startsWith("report") ? "forgotten" : "known");
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["report up unawaited", "announce up unawaited"]);
    expect(reports).toEqual(["replaced", "renewed"]);
    await keeper.deregister();
    expect(entry.calls()).toEqual(["withdraw"]);
  });

  it("is renewed while that cannot be told", async () => {
    const { entry, clock, reports } = shared();
    Object.assign(entry, { isReplaced: () => Promise.reject(new Error("down")) });
    await clock.advance(30_000);
    expect([entry.calls().length, reports]).toEqual([3, []]);
  });
});

describe("a registration that is abandoned", () => {
  it("makes no call any more, and stays in the registry", async () => {
    const { entry, clock, keeper } = kept();
    await keeper.abandon();
    await keeper.deregister();
    await keeper.abandon();
    await clock.advance(60_000);
    expect([entry.calls(), clock.pending]).toEqual([[], []]);
    await expect(keeper.setStatus("down")).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION" });
  });

  it("is left once the call under way has ended, which might reach the registry after its successor's", async () => {
    const { entry, clock, keeper } = kept();
    entry.script = () => "hold";
    await clock.advance(10_000);
    let isLeft = false;
    const left = keeper.abandon().then(() => {
      isLeft = true;
    });
    await clock.advance(1_000);
    expect(isLeft).toBe(false);
    // Not announced again, although the registry has forgotten it.
    entry.held[0]?.answer("forgotten");
    await left;
    expect(entry.calls()).toEqual(["renew up unawaited"]);
  });

  it("is not brought back by an end that was asked for before", async () => {
    const { entry, keeper } = kept();
    await Promise.all([keeper.deregister(), keeper.abandon()]);
    expect(entry.calls()).toEqual(["withdraw"]);
  });
});
