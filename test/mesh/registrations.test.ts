import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RegistrationEvent } from "../../src/core/observing/events.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import type { InstanceHealth } from "../../src/registration/health-watch.ts";
import type { RegisterOptions } from "../../src/registration/register-options.ts";
import type { InstanceStatus, Registrar } from "../../src/registration/registrar.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedRegistrar } from "../registration/scripted-registrar.ts";
import { rejectionOf } from "../support/rejection.ts";

let clock: VirtualClock;
let warnings: string[];
beforeEach(() => {
  clock = virtualClock();
  warnings = [];
  vi.spyOn(process, "emitWarning").mockImplementation((text, name) => {
    if (String(name) === "MeshRegistrationWarning") warnings.push(String(text));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const instance = { service: "orders", host: "10.0.0.1", port: 80 };

function rig(options: Partial<MeshOptions> = {}) {
  const a = new ScriptedRegistrar(clock, "a", { callersKnowAfterMs: 1_000 });
  const b = new ScriptedRegistrar(clock, "b", { callersKnowAfterMs: 60_000 });
  const events: string[] = [];
  const onEvent = (event: { readonly type: string }) => {
    if (event.type !== "registration") return;
    const { registry, state, lost } = event as RegistrationEvent;
    events.push(`${registry} ${state}${lost ? " lost" : ""}`);
  };
  const discovery = memoryRegistry();
  const mesh = createMesh({ discovery, clock, random: () => 1, observers: [{ onEvent }], ...options });
  return { a, b, mesh, events, discovery };
}

describe("the registration of a mesh", () => {
  it("shows its state, its status and the time after which callers know, for each registry", async () => {
    const { a, b, mesh, events } = rig();
    const registration = await mesh.register({ ...instance, registrar: [a, b] });
    expect(registration).toMatchObject({ id: "o1", service: "orders", state: "registered", status: "up", callersKnowAfterMs: 60_000 });
    expect(registration.registries).toEqual([
      { registry: "a", state: "registered", status: "up", error: undefined, callersKnowAfterMs: 1_000 },
      { registry: "b", state: "registered", status: "up", error: undefined, callersKnowAfterMs: 60_000 },
    ]);
    await registration.deregister();
    expect(registration.state).toBe("deregistered");
    expect(events).toEqual(["a registered", "b registered", "a deregistered", "b deregistered"]);
    expect([clock.pending, warnings]).toEqual([[], []]);
  });

  it("is out of service once every registry has it so, and renewals go on", async () => {
    const { a, b, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: [a, b] });
    a.entry.calls();
    b.entry.calls();
    b.entry.script = () => "hold";
    let isSet = false;
    const set = registration.setStatus("out-of-service").then(() => {
      isSet = true;
    });
    await clock.advance(0);
    expect(isSet).toBe(false);
    expect(registration.registries.map(({ status }) => status)).toEqual(["out-of-service", undefined]);
    b.entry.held[0]?.answer();
    b.heal();
    await set;
    expect(registration.registries.map(({ status }) => status)).toEqual(["out-of-service", "out-of-service"]);
    await clock.advance(10_000);
    expect(a.entry.calls()).toEqual(["report out-of-service", "renew out-of-service unawaited"]);
    await mesh.close();
  });

  it("says which registry could not be told a status, and tells it with the next renewal", async () => {
    const { a, b, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: [a, b] });
    b.fail();
    await expect(registration.setStatus("out-of-service")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: "telling the status of o1 failed at 1 of 2 registries: b: scripted: report o1: down",
    });
    expect(registration.registries.map(({ state, status }) => [state, status])).toEqual([
      ["registered", "out-of-service"],
      ["failing", undefined],
    ]);
    expect(registration.state).toBe("failing");
    b.heal();
    await clock.advance(10_000);
    expect(registration.registries.map(({ state, status }) => [state, status])).toEqual([
      ["registered", "out-of-service"],
      ["registered", "out-of-service"],
    ]);
    await mesh.close();
  });

  it("refuses a status that does not exist", async () => {
    const { a, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: a });
    const error = await rejectionOf(registration.setStatus("UP" as InstanceStatus));
    expect(error).toEqual(new TypeError('the status of o1 must be one of "up", "down", "out-of-service", not "UP"'));
    expect(registration.status).toBe("up");
    await mesh.close();
  });
});

describe("register", () => {
  it("resolves when one of several registries has taken the instance, tries the others on, and says once that they fail", async () => {
    const { a, b, mesh, events } = rig();
    b.fail("no leader");
    const registering = mesh.register({ ...instance, registrar: [a, b] });
    await clock.advance(1_000);
    const registration = await registering;
    expect(registration.registries.map(({ state }) => state)).toEqual(["registered", "failing"]);
    expect(registration.registries[1]?.error?.message).toBe("scripted: register o1: no leader");
    await clock.advance(60_000);
    expect(events).toEqual(["a registered", "b failing"]);
    expect(warnings).toEqual(["inmesh: o1, an instance of orders: scripted: register o1: no leader"]);
    b.heal();
    await clock.advance(7_000);
    expect([registration.state, events]).toEqual(["registered", ["a registered", "b failing", "b registered"]]);
    await registration.deregister();
    expect(clock.pending).toEqual([]);
  });

  it("rejects when no registry takes the instance, and leaves nothing behind", async () => {
    const { a, b, mesh } = rig();
    a.fail("gone");
    b.entry.script = () => {
      throw new Error("refused");
    };
    const registering = rejectionOf(mesh.register({ ...instance, registrar: [a, b] }));
    await clock.advance(1_000);
    expect(await registering).toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message:
        "registering orders-10.0.0.1-80 failed at 2 of 2 registries: a: scripted: register o1: gone; b: scripted: register o1: refused",
    });
    expect([clock.pending, warnings]).toEqual([[], []]);
    await mesh.close();
  });

  it("rejects with the error of the registrar when there is one", async () => {
    const { a, mesh } = rig();
    a.fail("gone");
    const registering = rejectionOf(mesh.register({ ...instance, registrar: a }));
    await clock.advance(1_000);
    expect(await registering).toMatchObject({ code: "ERR_MESH_REGISTRATION", message: "scripted: register o1: gone" });
    await mesh.close();
  });

  it("checks the instance with all registrars before it registers with one", async () => {
    const { a, b, mesh } = rig();
    await expect(mesh.register({ ...instance, service: "", registrar: [a, b] })).rejects.toThrow("a: service is empty");
    expect([a.instances, b.instances, clock.pending]).toEqual([[], [], []]);
  });

  it("announces the initial status", async () => {
    const { a, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: a, initialStatus: "out-of-service" });
    expect([registration.status, a.entry.calls()]).toEqual(["out-of-service", ["announce out-of-service"]]);
    await registration.setStatus("up");
    expect(a.entry.calls()).toEqual(["report up"]);
    await mesh.close();
  });

  it("tells the initial status at once to a registrar that registers everything as up", async () => {
    const { mesh } = rig();
    const told: InstanceStatus[] = [];
    const registrar = {
      register: async () => ({
        id: "x",
        status: "up" as const,
        setStatus: async (status: InstanceStatus) => void told.push(status),
        deregister: async () => {},
        [Symbol.asyncDispose]: async () => {},
      }),
    };
    const registration = await mesh.register({ ...instance, registrar, initialStatus: "down" });
    expect(told).toEqual(["down"]);
    await expect(registration.setWeight(2)).rejects.toThrow(new TypeError("the registrar cannot change the weight of an instance"));
    await mesh.close();
  });

  it("says so when a registrar resolves with nothing", async () => {
    const { mesh } = rig();
    const registrar = { name: "own", register: async () => undefined as never };
    await expect(mesh.register({ ...instance, registrar })).rejects.toThrow("own: register() has resolved with no registration");
    const throwing = {
      register() {
        throw new Error("not a promise at all");
      },
    };
    await expect(mesh.register({ ...instance, registrar: throwing })).rejects.toThrow("not a promise at all");
  });

  it("gives the instance the zone of the mesh, unless it has one", async () => {
    const { a, mesh } = rig({ zone: "eu-1a" });
    await mesh.register({ ...instance, registrar: a });
    await mesh.register({ ...instance, registrar: a, zone: "eu-1b" });
    expect(a.instances.map(({ zone }) => zone)).toEqual(["eu-1a", "eu-1b"]);
    await mesh.close();
  });

  it.each([
    [{ initalStatus: "up" }, /^register has no option "initalStatus"; it has service, /],
    [{ initialStatus: "UP" }, 'register: initialStatus must be one of "up", "down", "out-of-service", not "UP"'],
    [{ health: true }, "register: health must be a function that answers true, false or a status, not true"],
    [{ healthTimeoutMs: 0 }, "register: healthTimeoutMs must be from 1 to 2147483647, not 0"],
    [{ healthIntervalMs: 5 }, "register: healthIntervalMs must be from 10 to 3600000, not 5"],
    [{ keepTrying: 1 }, "register: keepTrying must be true or false, not 1"],
    [{ registrar: [] }, "register: registrar must be a registrar, such as consul(), or an array of registrars, not []"],
    [{ registrar: {} }, "register: registrar must be a registrar, such as consul(), or an array of registrars, not an object"],
    [{ host: "" }, 'register: host must be a host name, an address, "auto" or { interface, family }, not ""'],
    [{ host: { family: 4 } }, 'register: host.family must be one of "ipv4", "ipv6", not 4'],
    [{ host: { interface: "none0" } }, /^host: no address of the interface "none0" that others can reach this machine at; it has /],
  ])("refuses %o", async (wrong, message) => {
    const { a, mesh } = rig();
    const error = await rejectionOf(mesh.register({ registrar: a, ...instance, ...wrong } as never));
    expect((error as Error).message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
    expect([a.instances, clock.pending]).toEqual([[], []]);
    await mesh.close();
  });

  it("refuses a registrar that is given twice", async () => {
    const { a, mesh } = rig();
    await expect(mesh.register({ ...instance, registrar: [a, a] })).rejects.toThrow("register: registrar has the same registrar twice");
  });
});

describe("a registration that keeps trying", () => {
  it("is there at once, and goes on until the registry takes it, saying once that it fails", async () => {
    const { a, mesh, events } = rig();
    a.fail("refused");
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    expect([registration.state, registration.id]).toEqual(["pending", "orders-10.0.0.1-80"]);
    let isRegistered = false;
    const registered = registration.whenRegistered().then(() => {
      isRegistered = true;
    });
    await clock.advance(120_000);
    expect([registration.state, isRegistered, events, warnings.length]).toEqual(["failing", false, ["a failing"], 1]);
    // The one of whenRegistered().
    expect(clock.pending.filter(({ keepsProcess }) => keepsProcess)).toHaveLength(1);
    a.heal();
    await clock.advance(6_000);
    await registered;
    expect([registration.state, registration.id, events]).toEqual(["registered", "o1", ["a failing", "a registered"]]);
    await registration.deregister();
    expect(clock.pending).toEqual([]);
  });

  it("announces a status and a weight that were set meanwhile", async () => {
    const { a, mesh } = rig();
    a.fail();
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    await clock.advance(5_000);
    await registration.setStatus("out-of-service");
    await registration.setWeight(7);
    a.heal();
    a.entry.calls();
    await clock.advance(6_000);
    expect(a.entry.calls()).toEqual(["announce out-of-service unawaited"]);
    expect(a.instances.at(-1)?.weight).toBe(7);
    await mesh.close();
  });

  it("gets the weight that was set during the try that the registry has taken", async () => {
    const { a, mesh } = rig();
    a.entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    await clock.advance(10);
    await registration.setWeight(3);
    await registration.setStatus("out-of-service");
    a.entry.held[0]?.answer();
    await clock.advance(10);
    expect(a.entry.calls()).toEqual(["announce up unawaited", "report out-of-service", "reweigh 3 out-of-service"]);
    await mesh.close();
  });

  it.each(["down", "in a pause", "in an attempt"])(
    "ends with deregister() while the registry is %s, and is tried no more",
    async (when) => {
      const { a, mesh } = rig();
      if (when === "in an attempt") a.entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
      else a.fail();
      const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
      const waiting = rejectionOf(registration.whenRegistered());
      await clock.advance(when === "down" ? 0 : when === "in an attempt" ? 50 : 1_010);
      const ended = registration.deregister();
      await clock.advance(0);
      a.entry.held[0]?.answer();
      a.heal();
      await ended;
      expect(await waiting).toMatchObject({ code: "ERR_MESH_REGISTRATION" });
      expect(registration.state).toBe("deregistered");
      if (when === "in an attempt") expect(a.entry.calls(), "what the attempt has left").toEqual(["announce up unawaited", "withdraw"]);
      a.entry.calls();
      await clock.advance(60_000);
      expect([a.entry.calls(), clock.pending]).toEqual([[], []]);
    },
  );

  it("ends with its signal, until it is registered", async () => {
    const { a, mesh } = rig();
    a.fail();
    const controller = new AbortController();
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true }, controller.signal);
    await clock.advance(500);
    controller.abort();
    await clock.advance(1_000);
    expect([registration.state, clock.pending]).toEqual(["deregistered", []]);
  });

  it("can be waited for with a signal", async () => {
    const { a, mesh } = rig();
    a.fail();
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = rejectionOf(registration.whenRegistered(controller.signal));
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    await expect(registration.whenRegistered(AbortSignal.abort(reason))).rejects.toBe(reason);
    const closed = mesh.close();
    await clock.advance(1_000);
    await closed;
  });
});

describe("health", () => {
  /** A registration whose health answers as `answer` says. */
  async function watched(health: InstanceHealth, options: Partial<RegisterOptions> = {}) {
    const made = rig();
    const registering = made.mesh.register({ ...instance, registrar: made.a, health, ...options });
    await clock.advance(2_000);
    const registration = await registering;
    const asked = () => made.a.entry.calls();
    return { ...made, registration, asked };
  }

  it("is asked before the instance is registered, and again before each renewal", async () => {
    let asked = 0;
    const { a, mesh, registration } = await watched(() => ++asked > 0, {});
    expect([asked, registration.status, a.entry.calls()]).toEqual([1, "up", ["announce up"]]);
    for (let renewal = 1; renewal <= 3; renewal++) {
      const before = asked;
      await clock.advance(10_000);
      expect(asked).toBeGreaterThan(before);
    }
    await mesh.close();
    expect(clock.pending).toEqual([]);
  });

  it("is asked at least once between two renewals where these are frequent", async () => {
    let asked = 0;
    const { mesh } = rig();
    const brisk = new ScriptedRegistrar(clock, "brisk", { renewMs: 200 });
    await mesh.register({ ...instance, registrar: brisk, health: () => ++asked > 0 });
    await clock.advance(2_000);
    expect(asked).toBeGreaterThanOrEqual(10);
    await mesh.close();
  });

  it.each<[unknown, InstanceStatus]>([
    [true, "up"],
    [false, "down"],
    ["up", "up"],
    ["down", "down"],
    ["out-of-service", "out-of-service"],
    [Promise.resolve(false), "down"],
  ])("answers %o, which is the status %s, without a word", async (answer, status) => {
    const { mesh, registration, asked } = await watched(() => answer as boolean);
    expect([registration.status, asked(), warnings]).toEqual([status, [`announce ${status}`], []]);
    await mesh.close();
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
      /health counts as down: no database$/,
    ],
    ["rejects", () => Promise.reject(new Error("no database")), /health counts as down: no database$/],
    ["hangs", () => new Promise(() => {}), /health counts as down: it did not answer within 1000 ms$/],
    ["answers undefined", () => undefined, /health counts as down: it answered undefined, not true, false or a status$/],
    ["answers UP", () => "UP", /health counts as down: it answered "UP", not true, false or a status$/],
    ["throws nothing at all", () => Promise.reject(), /health counts as down: undefined$/],
  ])("is down when it %s, said once until it answers", async (_what, fault, message) => {
    let isFaulty = true;
    const { mesh, registration, asked } = await watched(() => (isFaulty ? fault() : true) as boolean);
    expect([registration.status, asked()]).toEqual(["down", ["announce down"]]);
    await clock.advance(60_000);
    expect(warnings).toEqual([expect.stringMatching(message)]);
    isFaulty = false;
    await clock.advance(7_000);
    expect(registration.status).toBe("up");
    isFaulty = true;
    await clock.advance(7_000);
    expect([registration.status, warnings.length]).toEqual(["down", 2]);
    await mesh.close();
    expect(clock.pending).toEqual([]);
  });

  it("is told that its answer is no longer waited for", async () => {
    const signals: AbortSignal[] = [];
    const { mesh } = await watched((signal) => {
      signals.push(signal);
      return new Promise<boolean>(() => {});
    });
    expect(signals[0]?.aborted).toBe(true);
    await clock.advance(4_500);
    expect([signals.length, signals.at(-1)?.aborted]).toEqual([2, false]);
    await mesh.close();
    expect(signals.at(-1)?.aborted).toBe(true);
  });

  it("tells the registry of a change at once, and not of an answer that is the same", async () => {
    let isReady = false;
    const { mesh, registration, asked } = await watched(() => isReady, { healthIntervalMs: 100 });
    asked();
    isReady = true;
    await clock.advance(100);
    expect([registration.status, asked()]).toEqual(["up", ["report up"]]);
    await clock.advance(1_000);
    expect(asked()).toEqual([]);
    await mesh.close();
  });

  it("gives way to what the program has set, until that is up", async () => {
    let answer: InstanceStatus = "up";
    const { mesh, registration, asked } = await watched(() => answer, { healthIntervalMs: 100 });
    await registration.setStatus("out-of-service");
    answer = "down";
    await clock.advance(300);
    expect([registration.status, asked()]).toEqual(["out-of-service", ["announce up", "report out-of-service", "report out-of-service"]]);
    await registration.setStatus("up");
    expect([registration.status, asked()]).toEqual(["down", ["report down"]]);
    await mesh.close();
  });

  it("is reported with the next renewal where it could not be told at once", async () => {
    let isReady = true;
    const { a, mesh, registration, asked } = await watched(() => isReady, { healthIntervalMs: 1_000 });
    a.fail();
    isReady = false;
    await clock.advance(1_000);
    expect(registration.state).toBe("failing");
    a.heal();
    asked();
    await clock.advance(10_000);
    expect(asked()[0]).toBe("report down unawaited");
    expect(registration.registries[0]).toMatchObject({ state: "registered", status: "down" });
    await mesh.close();
  });

  it("does not keep close() waiting when it hangs before the first registration", async () => {
    const { a, mesh } = rig();
    const registering = rejectionOf(mesh.register({ ...instance, registrar: a, health: () => new Promise<boolean>(() => {}) }));
    await clock.advance(0);
    await mesh.close();
    expect(await registering).toMatchObject({ code: "ERR_MESH_REGISTRATION" });
    expect([a.entry.calls(), clock.pending]).toEqual([[], []]);
  });
});

describe("setWeight", () => {
  it("tells every registry, and refuses what is no weight", async () => {
    const { a, b, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: [a, b] });
    a.entry.calls();
    await registration.setWeight(9);
    expect([a.entry.calls(), b.entry.calls()]).toEqual([["reweigh 9 up"], ["announce up", "reweigh 9 up"]]);
    for (const wrong of [0, 1.5, 65_536, Number.NaN, "2"])
      await expect(registration.setWeight(wrong as number)).rejects.toThrow(/^the weight of o1 must be an integer from 1 to 65535, got /);
    await registration.deregister();
    await expect(registration.setWeight(2)).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION" });
  });
});

describe("closing a mesh", () => {
  it("waits no longer for a registration that the program is deregistering already", async () => {
    const { a, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: a });
    a.entry.script = () => "hold";
    const ended = registration.deregister();
    const closed = mesh.close();
    await clock.advance(5_000);
    await closed;
    expect(warnings).toHaveLength(1);
    a.entry.held[0]?.answer();
    await ended;
    expect([registration.state, clock.pending]).toEqual(["deregistered", []]);
  });

  it("deregisters first, while discovery and connections are there", async () => {
    const { a, mesh, discovery } = rig();
    const order: string[] = [];
    await mesh.register({ ...instance, registrar: a });
    a.entry.script = (what) => {
      order.push(what);
      return "known";
    };
    (discovery as { close?: () => void }).close = () => void order.push("discovery closed");
    await Promise.all([mesh.close(), mesh.close()]);
    await mesh.close();
    expect(order).toEqual(["withdraw", "discovery closed"]);
    expect(clock.pending).toEqual([]);
  });

  it("waits two seconds at most for a registry that does not answer, and says that the instance stays", async () => {
    const { a, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: a });
    a.entry.script = () => "hold";
    let isClosed = false;
    const closed = mesh.close().then(() => {
      isClosed = true;
    });
    await clock.advance(1_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    expect(warnings).toEqual(["inmesh: o1, an instance of orders, stays registered until it expires: no answer within 2000 ms"]);
    expect([clock.pending, registration.state]).toEqual([[], "failing"]);
  });

  it("gives a registry that has just had its time no more, and one that has failed long ago all of it", async () => {
    for (const [pauseMs, expected] of [
      [0, []],
      [5_000, ["withdraw"]],
    ] as const) {
      const { a, mesh } = rig();
      const registration = await mesh.register({ ...instance, registrar: a });
      a.entry.script = () => "hold";
      const stop = new AbortController();
      const given = rejectionOf(registration.deregister(stop.signal));
      await clock.advance(2_000);
      stop.abort(new Error("too long"));
      await given;
      a.entry.calls();
      await clock.advance(pauseMs);
      const closed = mesh.close();
      await clock.advance(pauseMs === 0 ? 0 : 2_000);
      await closed;
      expect([a.entry.calls(), warnings.splice(0), clock.pending]).toEqual([expected, [expect.stringContaining("stays registered")], []]);
    }
  });

  it("does not reject when a registry refuses to deregister", async () => {
    const { a, mesh } = rig();
    await mesh.register({ ...instance, registrar: a });
    a.fail("permission denied");
    await mesh.close();
    expect(warnings).toEqual([
      expect.stringContaining(
        "o1, an instance of orders, stays registered until it expires: ERR_MESH_REGISTRATION: scripted: withdraw o1: permission denied",
      ),
    ]);
  });

  it("takes back a registration that is under way, once the registry has answered", async () => {
    const { a, mesh } = rig();
    a.entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
    const registering = rejectionOf(mesh.register({ ...instance, registrar: a }));
    const closed = mesh.close();
    await clock.advance(10);
    expect(a.entry.calls()).toEqual(["announce up"]);
    a.entry.held[0]?.answer();
    await closed;
    expect(a.entry.calls()).toEqual(["withdraw"]);
    expect(await registering).toMatchObject({ code: "ERR_MESH_REGISTRATION" });
    expect([clock.pending, warnings]).toEqual([[], []]);
  });

  it("takes back what a caller's signal has ended, even after the caller has been told", async () => {
    const { a, mesh } = rig();
    a.entry.script = (what) => (what.startsWith("announce") ? "hold" : "known");
    const controller = new AbortController();
    const registering = rejectionOf(mesh.register({ ...instance, registrar: a }, controller.signal));
    await clock.advance(10);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await registering).toBe(reason);
    const closed = mesh.close();
    a.entry.held[0]?.answer();
    await closed;
    expect([a.entry.calls(), clock.pending]).toEqual([["announce up", "withdraw"], []]);
  });

  it("ends a registration that comes after it has given up waiting", async () => {
    const { mesh } = rig();
    const arrival = Promise.withResolvers<void>();
    let ends = 0;
    const registrar = {
      register: async () => {
        await arrival.promise;
        return {
          id: "x",
          status: "up" as const,
          setStatus: async () => {},
          deregister: async () => void ends++,
          [Symbol.asyncDispose]: async () => {},
        };
      },
    };
    await mesh.register({ ...instance, registrar, keepTrying: true });
    const closed = mesh.close();
    await clock.advance(5_000);
    await closed;
    expect(warnings).toEqual([expect.stringContaining("stays registered until it expires: no answer within 2000 ms")]);
    arrival.resolve();
    await clock.advance(0);
    expect([ends, clock.pending]).toEqual([1, []]);
  });

  it("lets nothing be registered afterwards, and deregisters nothing twice", async () => {
    const { a, mesh } = rig();
    const registration = await mesh.register({ ...instance, registrar: a });
    await registration.deregister();
    await mesh.close();
    expect(a.entry.calls()).toEqual(["announce up", "withdraw"]);
    await expect(mesh.register({ ...instance, registrar: a })).rejects.toMatchObject({ code: "ERR_MESH_CLOSED" });
  });
});

describe("a registration of a mesh that is abandoned", () => {
  it("stays at each registry, and the end of the mesh leaves it there", async () => {
    const { a, b, mesh, events } = rig();
    const registration = await mesh.register({ ...instance, registrar: [a, b], health: () => true });
    a.entry.calls();
    b.entry.calls();
    await registration.abandon();
    await registration.deregister();
    await mesh.close();
    await clock.advance(60_000);
    expect([a.entry.calls(), b.entry.calls(), clock.pending]).toEqual([[], [], []]);
    expect(registration.state).toBe("deregistered");
    expect(events.slice(2)).toEqual(["a deregistered", "b deregistered"]);
  });

  it("does not take back what an attempt under way has put there", async () => {
    const { a, mesh } = rig();
    a.entry.script = () => "hold";
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    await clock.advance(0);
    const left = registration.abandon();
    await clock.advance(0);
    a.entry.held[0]?.answer();
    await left;
    await mesh.close();
    expect(a.entry.calls()).toEqual(["announce up unawaited"]);
    expect(clock.pending).toEqual([]);
  });

  it("tries no more where the registry could not be reached", async () => {
    const { a, mesh } = rig();
    a.fail();
    const registration = await mesh.register({ ...instance, registrar: a, keepTrying: true });
    await clock.advance(2_000);
    const left = registration.abandon();
    await clock.advance(2_000);
    await left;
    a.entry.calls();
    await clock.advance(60_000);
    expect(a.entry.calls()).toEqual([]);
    await mesh.close();
  });

  it("is removed where the registrar cannot leave it", async () => {
    const { mesh } = rig();
    const removed: string[] = [];
    const plain: Registrar = {
      register: async ({ service }) => ({
        id: "o1",
        status: "up",
        setStatus: async () => {},
        deregister: async () => void removed.push(service),
        [Symbol.asyncDispose]: async () => {},
      }),
    };
    const registration = await mesh.register({ ...instance, registrar: plain });
    await registration.abandon();
    expect(removed).toEqual(["orders"]);
    await mesh.close();
  });
});
