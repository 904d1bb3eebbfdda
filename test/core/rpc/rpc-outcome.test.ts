import { expect, it } from "vitest";
import { BufferedBody } from "../../../src/core/buffered-body.ts";
import type { MeshResponse } from "../../../src/core/dispatch.ts";
import { countedStatus, rpcStatusIn, shownRpcStatus, tellRpcStatus } from "../../../src/core/rpc/rpc-outcome.ts";

const answer = (status: number, headers: readonly string[] = [], trailers: readonly string[] = [], complete = true): MeshResponse => {
  const body = Object.assign(new BufferedBody(), { trailers, complete });
  return { status, statusText: "", headers, body, upstream: undefined };
};

it("finds a status in the head, and in the trailers once the body has closed", () => {
  expect(rpcStatusIn(answer(200, ["grpc-status", "14"]), "grpc")).toBe(14);
  expect(rpcStatusIn(answer(200, [], ["grpc-status", "5"]), "grpc")).toBe(5);
  expect(rpcStatusIn(answer(200, [], ["grpc-status", "5"], false), "grpc")).toBeUndefined();
});

it("takes an answer without a status for UNKNOWN where gRPC demands one", () => {
  expect(rpcStatusIn(answer(200), "grpc")).toBe(2);
  expect(rpcStatusIn(answer(200), "grpc-web")).toBeUndefined();
  expect(rpcStatusIn(answer(200), "connect")).toBeUndefined();
  expect(rpcStatusIn(answer(503), "grpc")).toBeUndefined();
});

it("takes a status that was told of the body first", () => {
  const response = answer(200);
  tellRpcStatus(response, 13);
  expect(["grpc", "grpc-web", "connect"].map((protocol) => rpcStatusIn(response, protocol as "grpc"))).toEqual([13, 13, 13]);
});

it("counts a response by its status of gRPC, and every other by that of HTTP", () => {
  expect([{ status: 200, rpcStatus: 14 }, { status: 200, rpcStatus: 0 }, { status: 503 }].map(countedStatus)).toEqual([503, 200, 503]);
  expect([{ status: 200 }, { status: 404 }, { status: 200, rpcStatus: 4 }, undefined].map(shownRpcStatus)).toEqual([0, 12, 4, undefined]);
});
