import { describe, expect, it } from "vitest";
import { grpcHealthRequest, grpcServingStatus } from "../../../src/rotation/health/health-check-grpc.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("grpcHealthRequest", () => {
  it("is an empty message for the server as a whole, else field 1 with the name", () => {
    expect(hex(grpcHealthRequest(""))).toBe("0000000000");
    expect(hex(grpcHealthRequest("a.B"))).toBe("0000000005" + "0a03612e42");
    expect(hex(grpcHealthRequest("é"))).toBe("0000000004" + "0a02c3a9");
  });

  it("writes lengths beyond 127 as varints of two bytes", () => {
    const bytes = grpcHealthRequest("x".repeat(300));
    expect(hex(bytes.subarray(0, 8))).toBe("000000012f" + "0aac02");
    expect(bytes.byteLength).toBe(5 + 3 + 300);
  });
});

describe("grpcServingStatus", () => {
  const status = (text: string) => grpcServingStatus(Buffer.from(text, "hex"));

  it("reads the status, which is left out when it is 0", () => {
    expect(["00000000020801", "00000000020802", "00000000020803", "00000000020800", "0000000000", "00000000020809"].map(status)).toEqual([
      "SERVING",
      "NOT_SERVING",
      "SERVICE_UNKNOWN",
      "UNKNOWN",
      "UNKNOWN",
      "status 9",
    ]);
  });

  it("passes over fields that a later version may add", () => {
    expect(status("0000000007" + "1005" + "1a0161" + "0801")).toBe("SERVING");
  });

  for (const [what, bytes] of [
    ["nothing", ""],
    ["half a frame", "000000"],
    ["a frame that is longer than it says", "000000000208010000"],
    ["a frame that is shorter than it says", "00000000ff0801"],
    ["a compressed message", "01000000020801"],
    ["a varint without end", "0000000007" + "08ffffffffffff"],
    ["a varint cut off", "0000000002" + "08ff"],
    ["a string longer than the message", "0000000003" + "12ff01"],
    ["a group", "0000000002" + "0b00"],
    ["HTML", Buffer.from("<html></html>").toString("hex")],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => status(bytes)).toThrow(/no (gRPC message|HealthCheckResponse)/);
    });
  }
});
