import { describe, expect, test, vi } from "vitest";
import type { MeshRegistration } from "../../src/registration/mesh-registration.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import { type ProgramState, programStateOf, programStateText, ServedInstance } from "../../src/server/served-instance.ts";

/** A served instance whose registry has what it is told, with what a successor would know. */
function instance({ state = {}, isLeaving = false }: { state?: ProgramState; isLeaving?: boolean } = {}) {
  const told: unknown[] = [];
  const known: ProgramState[] = [];
  const registration = {
    id: "orders-1",
    state: "registered",
    setStatus: vi.fn(async (status: InstanceStatus) => void told.push(status)),
    setWeight: vi.fn(async (weight: number) => void told.push(weight)),
  };
  const onChange = async (changed: ProgramState): Promise<void> => void known.push(changed);
  const served = new ServedInstance({
    registration: registration as unknown as MeshRegistration,
    state,
    isLeaving,
    isGivenUp: () => false,
    onChange,
  });
  return { served, registration, told, known };
}

describe("the registration of a server", () => {
  test("tells a successor what the program has set, and not that the server leaves", async () => {
    const { served, told, known } = instance({ state: { weight: 3 } });
    await served.setStatus("down");
    await served.leave();
    expect(told).toEqual(["down", "out-of-service"]);
    expect(known).toEqual([{ status: "down", weight: 3 }]);
  });

  test("is not brought back by a program that goes on to set its status while the server leaves", async () => {
    const { served, told, known } = instance();
    await served.leave();
    await served.setStatus("up");
    expect(told).toEqual(["out-of-service"]);
    expect(known).toEqual([{ status: "up" }]);
    const late = instance({ isLeaving: true });
    await late.served.setStatus("up");
    expect(late.told).toEqual([]);
  });

  test("keeps a status that could not be told, which is told with a renewal, and no weight that was refused", async () => {
    const { served, registration, known } = instance();
    registration.setStatus.mockRejectedValueOnce(new Error("down"));
    registration.setWeight.mockRejectedValueOnce(new TypeError("no weights"));
    await expect(served.setStatus("out-of-service")).rejects.toThrow("down");
    await expect(served.setWeight(5)).rejects.toThrow("no weights");
    await expect(served.setStatus("UP" as InstanceStatus)).rejects.toThrow(/the status of orders-1.*"UP"/);
    expect(known).toEqual([{ status: "out-of-service" }]);
  });

  test("has nothing to tell when its server leaves after the program has deregistered it", async () => {
    const { served, registration, told } = instance();
    registration.state = "deregistered";
    registration.setStatus.mockRejectedValue(new Error("it is deregistered"));
    await served.leave();
    expect(told).toEqual([]);
  });

  test("rejects what is set once it has ended", async () => {
    const { served, registration } = instance({ isLeaving: true });
    registration.state = "deregistered";
    registration.setStatus.mockRejectedValueOnce(new Error("it is deregistered"));
    await expect(served.setStatus("up")).rejects.toThrow("it is deregistered");
  });
});

test.each(["", "{", "5", "null", '{"status":"UP"}', '{"weight":0}', '{"weight":"7"}', '{"status":1e999}'])(
  "a text that is no state, %s, is none",
  (text) => {
    expect(programStateOf(text)).toEqual({});
  },
);

test("a state is the same after it was text", () => {
  for (const state of [{}, { status: "down" as const }, { weight: 65_535 }, { status: "up" as const, weight: 1 }])
    expect(programStateOf(programStateText(state))).toEqual(state);
});
