import { describe, expect, it } from "vitest";
import { type AttemptRecord, MeshError, type MeshErrorCode, meshErrorCodes } from "../../src/core/errors.ts";
import { isGatewayError, isRetryableMethod, outcomeOfError, outcomeOfResponse } from "../../src/core/outcome.ts";

const failures: readonly MeshErrorCode[] = [
  "ERR_MESH_CONNECT",
  "ERR_MESH_TLS_PEER",
  "ERR_MESH_PROTOCOL",
  "ERR_MESH_TIMEOUT",
  "ERR_MESH_RETRY_EXHAUSTED",
];

describe("outcomeOfError", () => {
  for (const code of Object.keys(meshErrorCodes) as MeshErrorCode[]) {
    const expected = failures.includes(code) ? "failure" : "neutral";
    it(`takes ${code} for ${expected}`, () => {
      expect(outcomeOfError(new MeshError(code, "m"))).toBe(expected);
    });
  }

  it("takes what the caller threw or aborted with for nothing", () => {
    for (const reason of [new DOMException("stop", "AbortError"), new TypeError("bug"), "stop", undefined])
      expect(outcomeOfError(reason)).toBe("neutral");
  });

  it("takes a body that was cut off for the instance's failure, and one that could not be sent for the caller's", () => {
    const record = (phase: AttemptRecord["phase"]): AttemptRecord => ({ endpoint: "a", address: "a:1", phase, ms: 1, maybeExecuted: true });
    expect(outcomeOfError(new MeshError("ERR_MESH_BODY", "m", { attempts: [record("body")] }))).toBe("failure");
    expect(outcomeOfError(new MeshError("ERR_MESH_BODY", "m", { attempts: [record("headers")] }))).toBe("neutral");
  });

  it("judges several attempts by the last: this process's own fault stays its own when it is repeated", () => {
    const exhausted = (cause: unknown) => outcomeOfError(new MeshError("ERR_MESH_RETRY_EXHAUSTED", "m", { cause }));
    expect(exhausted(new MeshError("ERR_MESH_LOCAL_RESOURCE", "m"))).toBe("neutral");
    expect(exhausted(new MeshError("ERR_MESH_NO_ENDPOINTS", "m"))).toBe("neutral");
    expect(exhausted(new MeshError("ERR_MESH_CONNECT", "m"))).toBe("failure");
  });
});

it("takes 502, 503 and 504 for failures of the instance, and every other answer for a sign of life", () => {
  const failed = Array.from({ length: 500 }, (_, index) => index + 100).filter((status) => outcomeOfResponse({ status }) !== "success");
  expect(failed).toEqual([502, 503, 504]);
  expect(failed.every(isGatewayError)).toBe(true);
});

it("takes the safe methods for retryable, and PUT and DELETE only by RFC 9110", () => {
  const methods = [
    "GET",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "QUERY",
    "PUT",
    "DELETE",
    "POST",
    "PATCH",
    "CONNECT",
    "get",
    "constructor",
    "PROPFIND",
  ];
  expect(methods.filter((method) => isRetryableMethod(method, "safe"))).toEqual(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);
  expect(methods.filter((method) => isRetryableMethod(method, "idempotent"))).toEqual([
    "GET",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "QUERY",
    "PUT",
    "DELETE",
  ]);
});
