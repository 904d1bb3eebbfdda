import { expect, it } from "vitest";
import { BufferedBody } from "../../../src/core/buffered-body.ts";
import { retryPushback } from "../../../src/core/rpc/retry-pushback.ts";

const response = (value: string | undefined, trailers: readonly string[] = []) => ({
  status: 200,
  statusText: "",
  headers: value === undefined ? [] : ["grpc-retry-pushback-ms", value],
  body: Object.assign(new BufferedBody(), { trailers }),
  upstream: undefined,
});

it("reads the pause that an instance asks for", () => {
  expect(retryPushback(response("250"))).toBe(250);
  expect(retryPushback(response(undefined, ["grpc-retry-pushback-ms", "0"]))).toBe(0);
  expect(retryPushback(response(undefined))).toBeUndefined();
});

it("takes a negative number, and what is no number, for the wish that there be no further attempt", () => {
  expect(["-1", "", "soon", "1.5", "9999999999"].map((value) => retryPushback(response(value)))).toEqual(Array(5).fill("never"));
});
