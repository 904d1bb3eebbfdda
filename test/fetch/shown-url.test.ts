import { expect, it } from "vitest";
import { shownUrl } from "../../src/fetch/shown-url.ts";

it.each([
  ["orders/users/42", '"orders/users/42"'],
  ["orders:8080/x", '"orders:8080/x"'],
  ["http://orders/x?token=s3cret", '"http://orders/x?…"'],
  ["orders?token=s3cret", '"orders?…"'],
  ["orders/x#s3cret", '"orders/x"'],
  ["http://user:s3cret@orders/x?a=b", '"http://…@orders/x"'],
  ["s3cret@orders/x", '"…@orders/x"'],
  ["//user:s3cret@orders/x", '"…@orders/x"'],
  ["http://user:a/s3cret@orders/x", '"http://…@orders/x"'],
  ["http://user:s3?cret@orders/x", '"http://…"'],
  ["http://user:s3#cret@orders/x", '"http://…"'],
  ["orders/x?mail=a@s3cret", '"orders/x?…"'],
  ["mailto:s3cret@orders", '"…@orders"'],
  ["orders/\u0000\n", '"orders/\\u0000\\n"'],
  ["", '""'],
  [`orders/${"x".repeat(200)}`, `"orders/${"x".repeat(93)}…"`],
])("%j is shown as %s", (text, shown) => {
  expect(shownUrl(text)).toBe(shown);
});
