import { describe, expect, it } from "vitest";
import { type AttemptRecord, completeAttempts, describeError, isMeshError, MeshError } from "../../src/core/errors.ts";

const attempt = (maybeExecuted: boolean): AttemptRecord => ({ endpoint: "a", address: "a:1", phase: "headers", ms: 1, maybeExecuted });

describe("MeshError", () => {
  it("was maybe executed exactly when one of its attempts was, unless it says otherwise", () => {
    const of = (attempts: AttemptRecord[], maybeExecuted?: boolean) =>
      new MeshError("ERR_MESH_CONNECT", "m", { attempts, maybeExecuted }).maybeExecuted;
    expect([of([]), of([attempt(false)]), of([attempt(true), attempt(false)]), of([], true), of([attempt(true)], false)]).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it("is no TypeError, and has a cause only when there is one", () => {
    const error = new MeshError("ERR_MESH_BODY", "m");
    expect(error).not.toBeInstanceOf(TypeError);
    expect(Object.hasOwn(error, "cause")).toBe(false);
    expect(new MeshError("ERR_MESH_BODY", "m", { cause: 0 }).cause).toBe(0);
  });

  it("leaves the stack out when told so, and only then", () => {
    const limit = Error.stackTraceLimit;
    expect(new MeshError("ERR_MESH_OVERLOADED", "m", { stack: false }).stack).not.toContain("    at ");
    expect(new MeshError("ERR_MESH_OVERLOADED", "m").stack).toContain("    at ");
    expect(Error.stackTraceLimit).toBe(limit);
  });

  it("can be given its attempts later, as they are then", () => {
    const error = new MeshError("ERR_MESH_TIMEOUT", "m");
    const attempts = [attempt(true)];
    completeAttempts(error, attempts);
    attempts.push(attempt(false));
    expect([error.attempts.length, error.maybeExecuted]).toEqual([1, true]);
  });
});

describe("isMeshError", () => {
  it("knows one of another copy of the package, and nothing else", () => {
    const foreign = Object.assign(new Error("m"), { name: "MeshError", code: "ERR_MESH_CONNECT" });
    const others = [
      Object.assign(new Error("m"), { name: "MeshError", code: 7 }),
      new Error("m"),
      { name: "MeshError", code: "ERR_MESH_CONNECT" },
      undefined,
    ];
    expect([isMeshError(new MeshError("ERR_MESH_BODY", "m")), isMeshError(foreign)]).toEqual([true, true]);
    expect(others.map(isMeshError)).not.toContain(true);
  });
});

describe("describeError", () => {
  it("says the code once, and takes what is no error", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
    const nameless = Object.assign(new AggregateError([]), { code: "ETIMEDOUT" });
    expect([refused, Object.assign(new Error("closed"), { code: "E1" }), nameless, "text", null].map(describeError)).toEqual([
      "connect ECONNREFUSED 127.0.0.1:1",
      "E1: closed",
      "ETIMEDOUT: AggregateError",
      "text",
      "null",
    ]);
  });
});
