import { expect, it } from "vitest";
import {
  httpStatusOf,
  readRpcStatus,
  rpcStatus,
  rpcStatusName,
  rpcStatusNamed,
  rpcStatusOfHttp,
} from "../../../src/core/rpc/rpc-status.ts";

it("names each code, and finds it by its name", () => {
  expect(Object.values(rpcStatus)).toEqual(Array.from({ length: 17 }, (_, code) => code));
  for (const [name, code] of Object.entries(rpcStatus)) expect([rpcStatusName(code), rpcStatusNamed(name)]).toEqual([name, code]);
  expect([rpcStatusName(17), rpcStatusName(-1), rpcStatusNamed("toString"), rpcStatusNamed("ok")]).toEqual(["UNKNOWN", "UNKNOWN", 2, 2]);
});

it("reads a status strictly", () => {
  expect(["0", "14", "16"].map(readRpcStatus)).toEqual([0, 14, 16]);
  expect(["", "17", "-1", "+0", "0x0", " 0", "1e0", "14, 14", "OK", "999"].map(readRpcStatus)).toEqual(Array(10).fill(rpcStatus.UNKNOWN));
});

it("has the HTTP status of google.rpc.Code for each code", () => {
  const statuses = Object.keys(rpcStatus).map((name) => `${name} ${httpStatusOf(rpcStatusNamed(name))}`);
  expect(statuses).toEqual([
    "OK 200",
    "CANCELLED 499",
    "UNKNOWN 500",
    "INVALID_ARGUMENT 400",
    "DEADLINE_EXCEEDED 504",
    "NOT_FOUND 404",
    "ALREADY_EXISTS 409",
    "PERMISSION_DENIED 403",
    "RESOURCE_EXHAUSTED 429",
    "FAILED_PRECONDITION 400",
    "ABORTED 409",
    "OUT_OF_RANGE 400",
    "UNIMPLEMENTED 501",
    "INTERNAL 500",
    "UNAVAILABLE 503",
    "DATA_LOSS 500",
    "UNAUTHENTICATED 401",
  ]);
});

it("has the code of gRPC for the HTTP status of a proxy", () => {
  const codes = [400, 401, 403, 404, 429, 502, 503, 504, 302, 418, 500].map((status) => rpcStatusName(rpcStatusOfHttp(status)));
  const unavailable = Array(4).fill("UNAVAILABLE");
  expect(codes).toEqual([
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "UNIMPLEMENTED",
    ...unavailable,
    "UNKNOWN",
    "UNKNOWN",
    "UNKNOWN",
  ]);
});
