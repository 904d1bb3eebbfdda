import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { keepRegistered } from "../../src/registration/keep-registered.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { Refused, ScriptedEntry } from "./scripted-entry.ts";

function rig({
  registerTimeoutMs = 10_000,
  random = () => 1,
}: {
  readonly registerTimeoutMs?: number;
  readonly random?: () => number;
} = {}) {
  const entry = new ScriptedEntry();
  const clock = virtualClock();
  const controller = new AbortController();
  const { signal } = controller;
  const register = () => {
    const registering = keepRegistered(entry, { registerTimeoutMs, clock, random }, signal);
    registering.catch(() => {});
    return registering;
  };
  /** Timers and listeners, of which a failed registration must leave none. */
  const leftovers = () => [clock.pending, getEventListeners(signal, "abort")];
  return { entry, clock, controller, signal, register, leftovers };
}

const failing = (error: Error) => (what: string) => {
  if (what.startsWith("announce")) throw error;
  return "known" as const;
};

describe("keepRegistered", () => {
  it("resolves with a registration that is up once the registry has accepted it", async () => {
    const { entry, clock, signal, register } = rig();
    const registration = await register();
    expect([registration.id, registration.status, entry.calls()]).toEqual(["o1", "up", ["announce up"]]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(clock.pending, "the renewal").toEqual([{ inMs: 10_000, keepsProcess: false }]);
    await registration.deregister();
    expect(clock.pending).toEqual([]);
  });

  it("makes the first call before it returns, so that a registry in memory lists the instance at once", async () => {
    const { entry, register } = rig();
    const registering = register();
    expect(entry.calls()).toEqual(["announce up"]);
    await (await registering).deregister();
  });

  it("tries again with full jitter, from 100 ms doubled up to 2 s", async () => {
    const { entry, clock, register } = rig({ registerTimeoutMs: 60_000, random: seededRandom(3) });
    const drawn = seededRandom(3);
    entry.script = failing(new Error("down"));
    const registering = register();
    for (let attempt = 0; attempt < 12; attempt++) {
      await clock.advance(0);
      const expected = drawn() * Math.min(2_000, 100 * 2 ** attempt);
      expect(clock.pending[0]).toEqual({ inMs: expect.closeTo(expected, 3), keepsProcess: false });
      await clock.advance((clock.pending[0]?.inMs as number) + 1e-9);
    }
    entry.script = () => "known";
    await clock.advance(2_000);
    await (await registering).deregister();
    expect(entry.calls()).toEqual([...Array(14).fill("announce up"), "withdraw"]);
  });

  it("gives up when its time is over, saying what the registry did last, and takes back what may have arrived", async () => {
    const { entry, clock, register, leftovers } = rig({ registerTimeoutMs: 1_000 });
    entry.script = failing(new Error("down"));
    const registering = register();
    await clock.advance(999);
    expect(entry.calls()).toEqual(Array(4).fill("announce up"));
    await clock.advance(1);
    await expect(registering).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION", message: "scripted: register o1: down" });
    expect(entry.calls()).toEqual(["withdraw unawaited"]);
    expect(leftovers()).toEqual([[], []]);
  });

  it("leaves an attempt that is under way when its time is over, and takes it back once it has ended or a second later", async () => {
    const { entry, clock, register, leftovers } = rig({ registerTimeoutMs: 1_000 });
    entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
    const registering = register();
    await clock.advance(1_000);
    await expect(registering).rejects.toMatchObject({ message: "scripted: register o1: no answer within 1000 ms" });
    expect(entry.calls(), "the attempt might be carried out after the removal").toEqual(["announce up"]);
    await clock.advance(1_000);
    expect(entry.calls()).toEqual(["withdraw unawaited"]);
    expect(leftovers()).toEqual([[], []]);

    const answered = rig({ registerTimeoutMs: 1_000 });
    answered.entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
    const late = answered.register();
    await answered.clock.advance(1_000);
    await expect(late).rejects.toThrow("no answer");
    answered.entry.held[0]?.answer();
    await answered.clock.advance(0);
    expect(answered.entry.calls()).toEqual(["announce up", "withdraw unawaited"]);
    expect(answered.leftovers()).toEqual([[], []]);
  });

  it("gives up a removal that hangs", async () => {
    const { entry, clock, register, leftovers } = rig({ registerTimeoutMs: 1_000 });
    entry.script = () => "hold";
    const registering = register();
    await clock.advance(1_000);
    await expect(registering).rejects.toMatchObject({ message: "scripted: register o1: no answer within 1000 ms" });
    await clock.advance(1_000);
    expect(entry.calls()).toEqual(["announce up", "withdraw unawaited"]);
    await clock.advance(750);
    expect(leftovers()).toEqual([[], []]);
  });

  it("makes one attempt when it is given no time", async () => {
    const { entry, register, leftovers } = rig({ registerTimeoutMs: 0 });
    entry.script = failing(new Error("down"));
    await expect(register()).rejects.toMatchObject({ message: "scripted: register o1: down" });
    expect(entry.calls()).toEqual(["announce up", "withdraw unawaited"]);
    expect(leftovers()).toEqual([[], []]);
  });

  it("rejects at once when the registry refuses, and withdraws only what an earlier attempt may have left", async () => {
    const { entry, register, leftovers } = rig();
    entry.script = failing(new Refused("not you"));
    await expect(register()).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION", message: "scripted: register o1: not you" });
    expect(entry.calls()).toEqual(["announce up"]);
    expect(leftovers()).toEqual([[], []]);

    const later = rig();
    later.entry.script = failing(new Error("cut off"));
    const registering = later.register();
    await later.clock.advance(0);
    later.entry.script = failing(new Refused("not you"));
    await later.clock.advance(100);
    await expect(registering).rejects.toMatchObject({ message: "scripted: register o1: not you" });
    expect(later.entry.calls()).toEqual(["announce up", "announce up", "withdraw unawaited"]);
  });

  it.each(["an attempt", "a pause"])(
    "rejects with the reason of a signal that aborts in %s, and takes back what may have arrived",
    async (where) => {
      const { entry, clock, controller, register, leftovers } = rig();
      entry.script = where === "an attempt" ? (what) => (what.startsWith("announce") ? "hold" : "known") : failing(new Error("down"));
      const registering = register();
      await clock.advance(50);
      const reason = new Error("enough");
      controller.abort(reason);
      await expect(registering).rejects.toBe(reason);
      entry.held[0]?.answer();
      await clock.advance(0);
      expect(entry.calls()).toEqual(["announce up", "withdraw unawaited"]);
      expect(leftovers()).toEqual([[], []]);
    },
  );

  it("makes no call when its signal had aborted before", async () => {
    const { entry, controller, register, leftovers } = rig();
    const reason = new Error("before");
    controller.abort(reason);
    await expect(register()).rejects.toBe(reason);
    expect(entry.calls()).toEqual([]);
    expect(leftovers()).toEqual([[], []]);
  });

  it("does not care that nothing could be withdrawn", async () => {
    const { entry, register } = rig({ registerTimeoutMs: 0 });
    entry.script = () => {
      throw new Error("down");
    };
    await expect(register()).rejects.toMatchObject({ message: "scripted: register o1: down" });
    expect(entry.calls()).toEqual(["announce up", "withdraw unawaited"]);
  });

  it("announces the initial status, and refuses one that does not exist", async () => {
    const { entry, clock } = rig();
    const options = { registerTimeoutMs: 0, clock, random: () => 1 };
    const registration = await keepRegistered(entry, { ...options, initialStatus: "out-of-service" });
    expect([registration.status, entry.calls()]).toEqual(["out-of-service", ["announce out-of-service"]]);
    await clock.advance(10_000);
    expect(entry.calls()).toEqual(["renew out-of-service unawaited"]);
    await registration.deregister();
    entry.calls();
    await expect(keepRegistered(entry, { ...options, initialStatus: "UP" as InstanceStatus })).rejects.toThrow(
      'initialStatus of o1 must be one of "up", "down", "out-of-service", not "UP"',
    );
    expect(entry.calls()).toEqual([]);
  });

  describe("with an owner", () => {
    it("announces the status that the owner has at each attempt", async () => {
      const { entry, clock } = rig();
      let status: InstanceStatus = "up";
      const owner = { isWaiting: true, status: () => status, onReport() {} };
      entry.script = failing(new Error("down"));
      const registering = keepRegistered(entry, { registerTimeoutMs: 10_000, clock, random: () => 1, initialStatus: "down", owner });
      await clock.advance(0);
      status = "out-of-service";
      entry.script = () => "known";
      await clock.advance(100);
      expect((await registering).status).toBe("out-of-service");
      expect(entry.calls()).toEqual(["announce up", "announce out-of-service"]);
      await (await registering).deregister();
    });

    it("rejects only once what an attempt may have left has been removed", async () => {
      const { entry, clock, controller, signal, leftovers } = rig();
      entry.script = () => "hold";
      const reports: unknown[] = [];
      const owner = { isWaiting: true, status: () => "up" as const, onReport: (report: unknown) => reports.push(report) };
      let isSettled = false;
      const registering = keepRegistered(entry, { registerTimeoutMs: 10_000, clock, random: () => 1, owner }, signal).catch((error) => {
        isSettled = true;
        return error;
      });
      const reason = new Error("enough");
      controller.abort(reason);
      await clock.advance(100);
      expect([entry.calls(), isSettled]).toEqual([["announce up"], false]);
      entry.held[0]?.answer();
      await clock.advance(100);
      expect([entry.calls(), isSettled]).toEqual([["withdraw"], false]);
      entry.held[1]?.answer();
      expect(await registering).toBe(reason);
      expect([leftovers(), reports]).toEqual([[[], []], []]);
    });
  });
});
