import { describe, expect, it } from "vitest";
import { parseRoutes } from "../../../src/routing/text/parse-routes.ts";

function errorOf(text: string): string {
  try {
    parseRoutes(text, "a key");
  } catch (error) {
    return String((error as Error).message);
  }
  throw new Error("it was taken");
}

describe("a table of routes as a text", () => {
  it("is a list in YAML or JSON, or an object with it", () => {
    const routes = [{ name: "a", match: { path: { prefix: "/a" } }, to: "orders" }];
    expect(parseRoutes("- { name: a, match: { path: { prefix: /a } }, to: orders }\n", "a key")).toEqual(routes);
    expect(parseRoutes(JSON.stringify({ routes }), "a key")).toEqual(routes);
    expect(parseRoutes("[]", "a key")).toEqual([]);
  });

  it("is refused with the place of what is wrong", () => {
    expect(errorOf("- to: orders\n- to: orders\n  match: { path: { perfix: /a } }\n")).toMatch(/^a key:3:\d+: routes\[1\]\.match/);
    expect(errorOf("routes:\n  - to: 7\n")).toMatch(/^a key:2:\d+: routes\[0\]\.to/);
    expect(errorOf("timeoutMs: 5\n")).toBe(
      "a key:1:1: a table of routes is a list, or an object with the list as `routes` and nothing else",
    );
    expect(errorOf("")).toContain("it is empty; a table without any rule is []");
    expect(errorOf("[{")).toMatch(/^a key:1:\d/);
    expect(errorOf(`["${"x".repeat(1_048_577)}"]`)).toContain("1048576 are allowed");
  });
});
