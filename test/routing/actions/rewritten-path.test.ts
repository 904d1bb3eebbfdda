import { expect, it } from "vitest";
import { checkedPath, compilePathChange } from "../../../src/routing/actions/rewritten-path.ts";
import type { PathMatch } from "../../../src/routing/route-match.ts";

const prefix = (text: string): PathMatch => ({ prefix: text });

it.each<[string, Parameters<typeof compilePathChange>[0], PathMatch | undefined, string, string, string]>([
  ["a prefix by another", { prefix: "/v2" }, prefix("/api"), "/api/users", "", "/v2/users"],
  ["the prefix itself", { prefix: "/v2" }, prefix("/api"), "/api", "?a", "/v2?a"],
  ["a prefix by the root", { prefix: "/" }, prefix("/api"), "/api/users", "", "/users"],
  ["the prefix itself by the root", { prefix: "/" }, prefix("/api"), "/api", "", "/"],
  ["a prefix with a slash by one without", { prefix: "/v2" }, prefix("/api/"), "/api/users", "", "/v2/users"],
  ["a prefix by one with a slash", { prefix: "/v2/" }, prefix("/api"), "/api/users", "", "/v2/users"],
  ["a beginning by a text", { prefix: "/v" }, { begins: "/api" }, "/apis/x", "?q", "/vs/x?q"],
  ["a whole path", { path: "/new" }, undefined, "/old", "?q=1", "/new?q=1"],
  ["a whole path with a query", { path: "/new?a=b" }, undefined, "/old", "?q=1", "/new?a=b"],
  ["parts of a template", { path: "/{b}/{a}" }, { template: "/x/{a}/{b}" }, "/x/1/%202", "", "/%202/1"],
  ["the rest of a template", { path: "/y/{r}" }, { template: "/x/{r*}" }, "/x/1/2", "", "/y/1/2"],
  [
    "every place of a pattern",
    { pattern: { pattern: "/v(\\d)", with: "/version-$1" } },
    undefined,
    "/v1/v2",
    "?v1",
    "/version-1/version-2?v1",
  ],
])("%s is put in its place", (_name, change, match, path, query, made) => {
  expect(compilePathChange(change, match)?.(path, query)).toBe(made);
});

it.each(["//evil.example/x", "/a/../b", "/a/%2e%2e/b", "x", "", "/a b", "/a\\b", "/a\r\nb", "/ä"])("the path %j is not sent", (path) => {
  expect(() => checkedPath(path, "shop", "rule")).toThrow(/the route "rule" does not make a path of this one that can be sent/);
});
