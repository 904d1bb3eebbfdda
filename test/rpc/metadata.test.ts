import { expect, it } from "vitest";
import { isReservedMetadata, metadataFault, readBinary, writeBinary } from "../../src/rpc/metadata.ts";

it("refuses names that a protocol has for itself", () => {
  for (const name of ["grpc-timeout", "grpc-status", "grpc-anything", ":path", "te", "content-type", "connect-timeout-ms", "host"])
    expect([name, isReservedMetadata(name)]).toEqual([name, true]);
  for (const name of ["authorization", "x-grpc", "grpc-trace-bin", "traceparent"])
    expect([name, isReservedMetadata(name)]).toEqual([name, false]);
});

it("names the fault, and never the value", () => {
  expect(metadataFault("x-key", "plain text")).toBeUndefined();
  expect(metadataFault("x-key-bin", "AAEC")).toBeUndefined();
  expect(metadataFault("x-key-bin", "AAEC, AAE=")).toBeUndefined();
  expect(metadataFault("X Key", "s3cret")).toBe('the name "X Key" is none of metadata');
  expect(metadataFault("grpc-status", "s3cret")).toBe('the name "grpc-status" is reserved');
  expect(metadataFault("x-key", "s3cret\u00e9")).toBe('the value of "x-key" has characters that metadata cannot carry');
  expect(metadataFault("x-key-bin", "s3cret!")).toBe('the value of "x-key-bin" is not base64');
});

it("has bytes as base64, with and without padding", () => {
  expect(writeBinary(new Uint8Array([0, 255]))).toBe("AP8");
  expect([readBinary("AP8"), readBinary("AP8=")]).toEqual([new Uint8Array([0, 255]), new Uint8Array([0, 255])]);
  expect(readBinary("no base64")).toBeUndefined();
});
