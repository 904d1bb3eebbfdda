import { expect, it } from "vitest";
import { rpcStatus } from "../../src/core/rpc/rpc-status.ts";
import { connectCodeName, connectCodeNamed } from "../../src/rpc/connect-code.ts";

it("has each code by its name", () => {
  for (const code of Object.values(rpcStatus)) expect(connectCodeNamed(connectCodeName(code))).toBe(code);
  expect([connectCodeName(1), connectCodeName(14)]).toEqual(["canceled", "unavailable"]);
});

it("takes no other name", () => {
  expect(["UNAVAILABLE", "cancelled_", "", 14, undefined, "nope", "to_string"].map(connectCodeNamed)).toEqual(Array(7).fill(undefined));
});
