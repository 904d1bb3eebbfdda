import { expect, it } from "vitest";
import { grpcProtocolOf, rpcCallOf } from "../../../src/core/rpc/rpc-call.ts";

it("knows calls of gRPC by their content type", () => {
  const protocols = ["application/grpc", "application/grpc+proto", "application/grpc-web+proto", "application/grpcx"].map(
    (type) => rpcCallOf("POST", { "content-type": type })?.protocol,
  );
  expect(protocols).toEqual(["grpc", "grpc", "grpc-web", undefined]);
});

it("knows them in any case of letters, and those of gRPC-Web in text", () => {
  const types = ["Application/GRPC", "application/gRPC; charset=utf-8", "application/grpc-web", "application/grpc-web-text"];
  expect(types.map(grpcProtocolOf)).toEqual(["grpc", "grpc", "grpc-web", "grpc-web"]);
  expect(["application/grpc-webx", "application/grpc web", "text/application/grpc"].map(grpcProtocolOf)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it("takes nothing else for one", () => {
  expect(rpcCallOf("GET", { "content-type": "application/grpc" })).toBeUndefined();
  expect(rpcCallOf("POST", {})).toBeUndefined();
  expect(rpcCallOf("POST", { "content-type": "application/json" })).toBeUndefined();
});
