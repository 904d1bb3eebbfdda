import { expect, it } from "vitest";
import { readGrpcMessage, writeGrpcMessage } from "../../src/rpc/grpc-message.ts";

it("encodes all but visible ASCII, and the percent sign", () => {
  expect(writeGrpcMessage("no room: 100 % of 4 MB\n☃")).toBe("no room: 100 %25 of 4 MB%0A%E2%98%83");
  expect(writeGrpcMessage("x".repeat(5_000))).toHaveLength(4_096);
});

it("reads what it has written", () => {
  for (const text of ["", "plain", "50 %", "naïve ☃ 😀", "%41"]) expect(readGrpcMessage(writeGrpcMessage(text))).toBe(text);
});

it("keeps what is no encoding, and puts all of it on one line", () => {
  expect(["%", "%4", "%zz", "50% off", "%0a%1b[2J"].map(readGrpcMessage)).toEqual(["%", "%4", "%zz", "50% off", " \\u{1b}[2J"]);
  expect(readGrpcMessage("%ff")).toBe("\ufffd");
});
