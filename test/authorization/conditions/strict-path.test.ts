import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathOfTarget, pathProblem } from "../../../src/authorization/conditions/strict-path.ts";

describe("pathProblem", () => {
  test.each([
    "/public/../admin",
    "/public/..",
    "/./admin",
    "/.",
    "/public/..;x/admin",
    "/public/..%3bx/admin",
    "/public/.%3B/admin",
    "/public/%252e%252E/admin",
    "/public%252fadmin",
    "/public%255cadmin",
    "/public/%2e%2e/admin",
    "/public/.%2E/admin",
    "//admin",
    "/public//admin",
    "/public\\..\\admin",
    "/public%2fadmin",
    "/public%5Cadmin",
    "/%61dmin",
    "/%41dmin",
    "/%7Eme",
    "/a%2Db",
    "/admin%00",
    "/admin\0",
    "/admin%0a",
    "/a%",
    "/a%2",
    "/a%zz",
    "/%c0%ae%c0%ae/admin",
    "/admin#x",
    "/a b",
    "*",
    "",
    "admin",
  ])("refuses %j", (path) => {
    expect(pathProblem(path)).toBeTypeOf("string");
  });

  test.each(["/", "/a/", "/a.b/..c/.d/e..", "/orders;v=1", "/caf%C3%A9", "/a%20b", "/a%3Fb", "/@x:y+z,!$&'()*=", "/100%25", "/..."])(
    "leaves %j",
    (path) => {
      expect(pathProblem(path)).toBeUndefined();
    },
  );

  test("what it leaves, readers that decode and resolve segments read with the same segments", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("/", ".", "..", "a", "%2e", "%2F", "%5c", "\\", "%20", "%61", ";", "%", "%25"), { maxLength: 8 }),
        (parts) => {
          const path = `/${parts.join("")}`;
          if (pathProblem(path) !== undefined) return;
          expect(new URL(path, "http://host").pathname).toBe(path);
          expect(decodeURIComponent(path).split("/").length).toBe(path.split("/").length);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("pathOfTarget", () => {
  test.each([
    ["/a?b=/../c", "/a"],
    ["http://host/admin?x", "/admin"],
    ["HTTP://host", "/"],
    ["*", "*"],
    ["http://user@host/admin", undefined],
    ["http://host\\@evil/admin", undefined],
    ["host:443", undefined],
    ["ftp://host/a", undefined],
  ])("of %j is %j", (target, path) => {
    expect(pathOfTarget(target)).toBe(path);
  });
});
