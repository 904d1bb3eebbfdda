import fc from "fast-check";
import { expect, test } from "vitest";
import { meshRequest } from "../../src/core/mesh-request.ts";
import { checkRoutes } from "../../src/routing/checks/check-routes.ts";
import type { PathMatch, RouteMatch, TextMatch } from "../../src/routing/route-match.ts";
import { compileRoutes } from "../../src/routing/route-table.ts";
import { naiveRoute, type RoutedAsk } from "../support/naive-route.ts";

// Few texts, so that rules and calls meet, and odd ones among them.
const segment = fc.constantFrom("a", "A", "b", "ab", "v2", "", "%2F", "%2f", "a;x=1", "~", "a.b", "users", "1");
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
const query = fc.constantFrom(
  "",
  "?",
  "?q=1",
  "?q=2&q=1",
  "?&q=1",
  "?%71=1",
  "?q=a+b",
  "?q",
  "?=x",
  "?q=%zz",
  "?Q=1",
  "?q=1?x",
  "?x=1&&q=a%20b",
);
const service = fc.constantFrom("shop", "stock", "www.shop.example");
const method = fc.constantFrom("GET", "POST", "HEAD", "PURGE");
const host = fc.constantFrom("www.shop.example", "shop.example", "WWW.Shop.Example:8080", "a.b.shop.example", "shop.test", "x");
const word = fc.constantFrom("a", "A", "ab", "a b", "1", "12", "-3", "", "x, a", "bab");

const wanted = word.filter((each) => each !== "");
const text: fc.Arbitrary<TextMatch> = fc.oneof(
  word,
  fc
    .tuple(
      fc.oneof(
        word.map((exact) => ({ exact })),
        wanted.map((prefix) => ({ prefix })),
        wanted.map((suffix) => ({ suffix })),
        wanted.map((contains) => ({ contains })),
        fc.constantFrom("a.*", "[ab]+", "\\d+", "a|b").map((pattern) => ({ pattern })),
        fc.constant({ range: [-5, 12] as const }),
        fc.boolean().map((present) => ({ present })),
      ),
      fc.record({ ignoreCase: fc.boolean(), not: fc.boolean() }, { requiredKeys: [] }),
    )
    .map(([part, rest]) => ({ ...part, ...("range" in part || "present" in part ? { not: rest.not ?? false } : rest) })),
);

const template = fc
  .tuple(fc.array(fc.option(segment, { nil: undefined }), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, withRest]) => `/${parts.map((part, index) => part ?? `{p${index}}`).join("/")}${withRest ? "/{rest*}" : ""}`);
const pattern = fc.constantFrom(
  "/[ab]+/users",
  "/.*/users/.*",
  "/[^/]*/v2.*",
  ".*/b/?",

  "/a.*",
  "/a|/b",
  "/[ab]",
  "/a?b*",
  ".*",
  "/a/.+",
  "(/a)+",
  "/A",
  "/a{2}",
  "^/ab",
  "/ab?/.*",
  "/a\\.b",
  "/%2[Ff].*",
);
const ignoring = <Match extends object>(made: fc.Arbitrary<Match>): fc.Arbitrary<Match & { readonly ignoreCase?: boolean }> =>
  fc.tuple(made, fc.boolean()).map(([match, ignoreCase]) => (ignoreCase ? { ...match, ignoreCase } : match));
const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  ignoring(path.map((exact) => ({ exact }))),
  ignoring(path.map((prefix) => ({ prefix }))),
  ignoring(path.map((begins) => ({ begins }))),
  template.map((each) => ({ template: each })),
  ignoring(pattern.map((each) => ({ pattern: each }))),
);
const several = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | readonly Value[]> =>
  fc.oneof(value, fc.uniqueArray(value, { minLength: 1, maxLength: 3 }));
const parts = {
  service: several(service),
  method: several(method),
  host: several(fc.constantFrom("www.shop.example", "shop.example", "*.shop.example", "shop.*", "*", "*.example", "www.*")),
  path: pathMatch,
  headers: fc.dictionary(fc.constantFrom("x-user", "X-Team"), text, { maxKeys: 2 }),
  query: fc.dictionary(fc.constantFrom("q", "x", "Q"), text, { maxKeys: 2 }),
};
// Of one part or two: a match of all six would be met by no call.
const match: fc.Arbitrary<RouteMatch> = fc
  .uniqueArray(fc.constantFrom(...(Object.keys(parts) as (keyof typeof parts)[])), { maxLength: 2 })
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, parts[name]])) as Partial<typeof parts>));
const rules = fc.array(fc.array(match, { minLength: 1, maxLength: 3 }), { maxLength: 10 });
const ask: fc.Arbitrary<RoutedAsk> = fc.record({
  service,
  method,
  path: fc.tuple(path, query).map((parts) => parts.join("")),
  headers: fc.record({ host, "x-user": word, "x-team": word }, { requiredKeys: [] }),
});

test("a table decides as a naive reading of its rules does, and explains the same", () => {
  const counts = { none: 0, first: 0, later: 0 };
  fc.assert(
    fc.property(rules, fc.array(ask, { minLength: 6, maxLength: 12 }), (given, asks) => {
      const routes = given.map((matches, index) => ({ name: `${index}`, match: matches }));
      checkRoutes("routes", routes);
      const table = compileRoutes(routes);
      for (const each of asks) {
        const request = meshRequest({ ...each, body: undefined });
        const expected = naiveRoute(given, each);
        const name = expected === -1 ? undefined : `${expected}`;
        expect(table.decide(request)?.rule.name).toBe(name);
        expect(table.explain(request).matched?.rule.name).toBe(name);
        counts[expected === -1 ? "none" : expected === 0 ? "first" : "later"]++;
      }
    }),
    { numRuns: 1_000 },
  );
  // The generated cases are of all kinds, not nearly all of one.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(300);
}, 120_000);
