import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RegistrationEvent } from "../../src/core/observing/events.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
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
