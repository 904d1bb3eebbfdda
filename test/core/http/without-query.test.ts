import { expect, it } from "vitest";
import { withoutQuery } from "../../../src/core/http/without-query.ts";

it.each([
  ["/a", "/a", "/a"],
  ["/a?token=s3cret", "/a", "/a?…"],
  ["orders/1?a=1?b=2#c", "orders/1", "orders/1?…"],
  ["?", "", "?…"],
])("%s without its query is %s, or %s with a mark", (target, bare, marked) => {
  expect([withoutQuery(target), withoutQuery(target, "?…")]).toEqual([bare, marked]);
});
