import fc from "fast-check";
import { expect, it } from "vitest";
import { requestHeaders } from "../../src/core/http/request-headers.ts";
import { meshRequest } from "../../src/core/mesh-request.ts";
import { checkRoutes } from "../../src/routing/checks/check-routes.ts";
import type { Route } from "../../src/routing/route.ts";
import type { PathMatch, RouteMatch } from "../../src/routing/route-match.ts";
import { compileRoutes } from "../../src/routing/route-table.ts";

// Few words, so that rules and calls meet.
const segment = fc.constantFrom("a", "b", "ab", "A", "aB", "", "a%20b", "1");
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const ignoreCase = fc.boolean();
const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({ exact: path, ignoreCase }),
  fc.record({ prefix: path, ignoreCase }),
  fc.record({ begins: path, ignoreCase }),
  fc
    .array(fc.constantFrom("a", "b", "{}", ""), { minLength: 1, maxLength: 3 })
    .map((parts) => ({ template: `/${parts.map((part, index) => (part === "{}" ? `{p${index}}` : part)).join("/")}` })),
  fc.constantFrom("/a", "/a/{rest*}").map((template) => ({ template })),
  fc.constantFrom("/a.*", "/(a|b)/.*", "/ab?", "/a/[0-9]+", ".*b", "/a/b|/b").map((pattern) => ({ pattern, ignoreCase: false })),
);
const host = fc.constantFrom("shop", "a.shop", "*.shop", "shop.*", "*", "a.*");
const whole = fc.record({
  service: fc.constantFrom("shop", "a.shop", "b.a.shop"),
  host: fc.array(host, { minLength: 1, maxLength: 3 }),
  path: pathMatch,
  method: fc.array(fc.constantFrom("GET", "POST", "PUT"), { minLength: 1, maxLength: 2 }),
  headers: fc.record({ x: fc.oneof(fc.constantFrom("1", "2"), fc.constant({ exact: "1", not: true })) }),
  query: fc.record({ q: fc.constantFrom("1", "a b") }),
});
const kept = fc.subarray(["service", "host", "path", "path", "method", "headers", "query"], { maxLength: 3 });
const match: fc.Arbitrary<RouteMatch> = fc
  .tuple(whole, kept)
  .map(([all, names]) => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))));
const routes = fc.array(
  fc.oneof(match, fc.array(match, { minLength: 1, maxLength: 3 })).map((each): Route => ({ match: each })),
  { maxLength: 30 },
);
const call = fc.record({
  service: fc.constantFrom("shop", "a.shop", "b.a.shop", "shop.eu"),
  method: fc.constantFrom("GET", "POST", "DELETE"),
  path: fc.tuple(path, fc.constantFrom("", "?q=1", "?q=a+b&q=1", "?&=&q", "?%71=1")).map((parts) => parts.join("")),
  headers: fc.record({ x: fc.constantFrom("1", "2") }, { requiredKeys: [] }),
});

it("the index decides as looking at each rule in turn does", () => {
  let decided = 0;
  fc.assert(
    fc.property(routes, fc.array(call, { minLength: 1, maxLength: 10 }), (table, calls) => {
      checkRoutes("routes", table);
      const compiled = compileRoutes(table);
      for (const { headers, ...parts } of calls) {
        const request = meshRequest({ ...parts, headers: requestHeaders(headers), body: undefined });
        const inTurn = compiled.explain(request).matched;
        expect(compiled.decide(request)?.match).toBe(inTurn?.match);
        if (inTurn !== undefined) decided++;
      }
    }),
    { numRuns: 500 },
  );
  expect(decided).toBeGreaterThan(500);
});
