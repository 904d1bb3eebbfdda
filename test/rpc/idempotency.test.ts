import { expect, it } from "vitest";
import { mayBeRepeated } from "../../src/rpc/idempotency.ts";

it("lets methods be repeated whose interface says that they may", () => {
  expect([undefined, 0, 1, 2, 3].map(mayBeRepeated)).toEqual([false, false, true, true, false]);
});
