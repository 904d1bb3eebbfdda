import { describe, expect, it } from "vitest";
import { shownText } from "../../src/admin/shown-text.ts";

describe("a text that is shown", () => {
  it.each([
    ["/users/42?token=canary", "/users/42?…"],
    ['cannot follow "/next?a=canary&b=2": too many', 'cannot follow "/next?…": too many'],
    ["http://user:canary@host/path?x=1 failed", "http://…@host/path?… failed"],
    ["is it gone?", "is it gone?"],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ])("keeps no query and no user of a URL: %s", (text, shown) => {
    expect(shownText(text)).toBe(shown);
  });

  it("is not longer than a page can show", () => {
    expect(shownText("x".repeat(10_000))).toHaveLength(501);
  });
});
