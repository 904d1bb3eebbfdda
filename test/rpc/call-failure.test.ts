import { describe, expect, it } from "vitest";
import { type AttemptRecord, MeshError, type MeshErrorCode, meshErrorCodes } from "../../src/core/errors.ts";
import { rpcStatusName } from "../../src/core/rpc/rpc-status.ts";
import { callFailure } from "../../src/rpc/call-failure.ts";

const attempt: AttemptRecord = { endpoint: "a", address: "10.0.0.7:80", phase: "body", ms: 1, maybeExecuted: true };
const reset = (name: string) => Object.assign(new Error(`Stream closed with error code ${name}`), { code: "ERR_HTTP2_STREAM_ERROR" });
const codeOf = (error: unknown) => rpcStatusName(callFailure(error).code);

it("has a status for every error of the mesh", () => {
  const codes = Object.keys(meshErrorCodes).map((code) => `${code} ${codeOf(new MeshError(code as MeshErrorCode, "x"))}`);
  expect(codes).toEqual([
    "ERR_MESH_INVALID_TARGET INVALID_ARGUMENT",
    "ERR_MESH_NO_ENDPOINTS UNAVAILABLE",
    "ERR_MESH_TIMEOUT DEADLINE_EXCEEDED",
    "ERR_MESH_CIRCUIT_OPEN UNAVAILABLE",
    "ERR_MESH_OVERLOADED UNAVAILABLE",
    "ERR_MESH_RETRY_EXHAUSTED UNAVAILABLE",
    "ERR_MESH_CONNECT UNAVAILABLE",
    "ERR_MESH_TLS_PEER UNAVAILABLE",
    "ERR_MESH_PROTOCOL UNAVAILABLE",
    "ERR_MESH_BODY RESOURCE_EXHAUSTED",
    "ERR_MESH_ROUTE UNAVAILABLE",
    "ERR_MESH_FORBIDDEN PERMISSION_DENIED",
    "ERR_MESH_TOKEN UNAUTHENTICATED",
    "ERR_MESH_LOCAL_RESOURCE RESOURCE_EXHAUSTED",
    "ERR_MESH_IDENTITY UNAVAILABLE",
    "ERR_MESH_DISCOVERY UNAVAILABLE",
    "ERR_MESH_REGISTRATION INTERNAL",
    "ERR_MESH_CLOSED UNAVAILABLE",
  ]);
});

describe("a stream that was reset", () => {
  it.each([
    ["NGHTTP2_NO_ERROR", "INTERNAL"],
    ["NGHTTP2_PROTOCOL_ERROR", "INTERNAL"],
    ["NGHTTP2_INTERNAL_ERROR", "INTERNAL"],
    ["NGHTTP2_REFUSED_STREAM", "UNAVAILABLE"],
    ["NGHTTP2_CANCEL", "CANCELLED"],
    ["NGHTTP2_ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"],
    ["NGHTTP2_INADEQUATE_SECURITY", "PERMISSION_DENIED"],
    ["NGHTTP2_COMPRESSION_ERROR", "INTERNAL"],
  ])("with %s is %s", (name, status) => {
    const cause = reset(name);
    expect(codeOf(new MeshError("ERR_MESH_BODY", "cut", { cause, attempts: [attempt] }))).toBe(status);
    expect(codeOf(new MeshError("ERR_MESH_PROTOCOL", "lost", { cause }))).toBe(status);
    const exhausted = new MeshError("ERR_MESH_PROTOCOL", "lost", { cause });
    expect(codeOf(new MeshError("ERR_MESH_RETRY_EXHAUSTED", "all", { cause: exhausted }))).toBe(status);
  });
});

it("tells messages of the caller that cannot be read from an answer that was cut off", () => {
  const cause = new Error("x");
  expect(codeOf(new MeshError("ERR_MESH_BODY", "x", { cause, attempts: [attempt] }))).toBe("UNAVAILABLE");
  expect(codeOf(new MeshError("ERR_MESH_BODY", "x", { cause, attempts: [{ ...attempt, phase: "headers" }] }))).toBe("CANCELLED");
});

it("names the service, the instance and the reason", () => {
  const error = new MeshError("ERR_MESH_TIMEOUT", "the deadline of 5 ms passed", { service: "orders", attempts: [attempt] });
  expect(callFailure(error)).toEqual({
    code: 4,
    message: "orders: the deadline of 5 ms passed (instance 10.0.0.7:80)",
    maybeExecuted: true,
  });
});

it("has the abort of the caller, and its time limit", () => {
  expect(codeOf(new DOMException("gone", "AbortError"))).toBe("CANCELLED");
  expect(codeOf(new DOMException("late", "TimeoutError"))).toBe("DEADLINE_EXCEEDED");
  expect([codeOf(new TypeError("x")), codeOf("x"), codeOf(undefined)]).toEqual(["UNKNOWN", "UNKNOWN", "UNKNOWN"]);
});
