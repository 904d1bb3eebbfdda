import { expect, it } from "vitest";
import { rpcStatusOfReset } from "../../src/rpc/http2-status.ts";

it("has no status for an error that is none of a stream", () => {
  expect([new Error("x"), undefined, Object.assign(new Error("NGHTTP2_CANCEL"), { code: "ECONNRESET" })].map(rpcStatusOfReset)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it("takes a code that is not known for INTERNAL", () => {
  expect(rpcStatusOfReset(Object.assign(new Error("Stream closed with error code 99"), { code: "ERR_HTTP2_STREAM_ERROR" }))).toBe(13);
});
