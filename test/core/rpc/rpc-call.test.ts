import { expect, it } from "vitest";
import { rpcCallOf } from "../../../src/core/rpc/rpc-call.ts";

it("knows calls of gRPC by their content type", () => {
  const protocols = ["application/grpc", "application/grpc+proto", "application/grpc-web+proto", "application/grpcx"].map(
    (type) => rpcCallOf("POST", { "content-type": type })?.protocol,
  );
  expect(protocols).toEqual(["grpc", "grpc", "grpc-web", undefined]);
});

it("takes nothing else for one", () => {
  expect(rpcCallOf("GET", { "content-type": "application/grpc" })).toBeUndefined();
  expect(rpcCallOf("POST", {})).toBeUndefined();
  expect(rpcCallOf("POST", { "content-type": "application/json" })).toBeUndefined();
});
