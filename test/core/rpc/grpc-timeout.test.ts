import { expect, it } from "vitest";
import { readConnectTimeout, readGrpcTimeout, writeConnectTimeout, writeGrpcTimeout } from "../../../src/core/rpc/grpc-timeout.ts";

it("reads each unit", () => {
  expect(["2H", "3M", "4S", "5m", "6000u", "7000000n", "00000000m", "99999999H"].map(readGrpcTimeout)).toEqual([
    7_200_000, 180_000, 4_000, 5, 6, 7, 0, 359_999_996_400_000,
  ]);
});

it("reads no other text", () => {
  for (const text of ["", "m", "5", "5s", "5 m", "-5m", "+5m", "1.5S", "123456789m", "5mm", "0x5m", "5M\n", "Infinitym"])
    expect([text, readGrpcTimeout(text)]).toEqual([text, undefined]);
});

it("writes at most eight digits, and never less time than there is", () => {
  expect([250, 0.4, 0, -3, 99_999_999, 100_000_000, 1e11, 1e13, Number.MAX_VALUE].map(writeGrpcTimeout)).toEqual([
    "250m",
    "1m",
    "0m",
    "0m",
    "99999999m",
    "100000S",
    "1666667M",
    "2777778H",
    "99999999H",
  ]);
});

it("has the timeout of Connect with at most ten digits", () => {
  expect(["0", "1500", "9999999999", "10000000000", "-1", "1.5", "", "1m"].map(readConnectTimeout)).toEqual([
    0,
    1500,
    9_999_999_999,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([250.2, 0, -1, 1e12].map(writeConnectTimeout)).toEqual(["251", "0", "0", "9999999999"]);
});
