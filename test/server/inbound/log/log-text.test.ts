import fc from "fast-check";
import { expect, test } from "vitest";
import { isoTime, jsonText, nginxText, nginxTime, redactedTarget } from "../../../../src/server/inbound/log/log-text.ts";

test.each([
  ["/items", "/items"],
  ["/items?a=1&b=2&c", "/items?a=*&b=*&*"],
  ["/?token", "/?*"],
  ["/?a=b=c&=x&&", "/?a=*&=*&&"],
  ["http://user:secret@host/path?a=1", "http://host/path?a=*"],
  ["//user:x@host/p", "//user:x@host/p"],
  ["*", "*"],
])("of %s the names of the query are left: %s", (target, shown) => {
  expect(redactedTarget(target, "names")).toBe(shown);
});

test("a query is left out, or shown, where that is asked for", () => {
  expect(redactedTarget("/a?b=1", "none")).toBe("/a");
  expect(redactedTarget("/a?b=1", "values")).toBe("/a?b=1");
  expect(redactedTarget("http://u:p@h/a?b=1", "values")).toBe("http://h/a?b=1");
});

test("no text breaks a line or a value, and JSON gives it back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      const json = jsonText(text);
      expect(json).toMatch(/^[ -~]*$/);
      expect(JSON.parse(json)).toBe(text);
      expect(nginxText(text)).toMatch(/^[ !#-~]*$/);
    }),
  );
  expect(nginxText('a"b\\c\nd\u001be\u00e9')).toBe("a\\x22b\\x5Cc\\x0Ad\\x1Be\\xC3\\xA9");
  expect([nginxText(""), nginxText(undefined)]).toEqual(["-", "-"]);
  expect(jsonText("x".repeat(100_000)).length).toBeLessThan(2_100);
});

test("times are in UTC", () => {
  const at = Date.UTC(2026, 0, 31, 23, 59, 58, 7);
  expect([isoTime(at), isoTime(at + 90), isoTime(at + 993)]).toEqual([
    "2026-01-31T23:59:58.007Z",
    "2026-01-31T23:59:58.097Z",
    "2026-01-31T23:59:59.000Z",
  ]);
  expect(nginxTime(at)).toBe("31/Jan/2026:23:59:58 +0000");
});
