import fc from "fast-check";
import type { Asked } from "./naive-decision.ts";

const td = "spiffe://example.org";
const patterns = [
  "*",
  `${td}/`,
  `${td}/shop/`,
  `${td}/shop/web`,
  `${td}/shop/web/`,
  `${td}/shopping`,
  "spiffe://other.org/",
  "orders.example.org",
];
const identities = [
  undefined,
  td,
  `${td}/shop`,
  `${td}/shop/web`,
  `${td}/shop/web/a`,
  `${td}/shop/`,
  `${td}/shopping`,
  "spiffe://other.org/x",
  "spiffe://example.org.evil.net/shop/web",
  "orders.example.org",
  "CN=web/shop",
];
const pathPatterns = [
  "/",
  "/**",
  "/orders",
  "/orders/",
  "/orders/**",
  "/orders/{id}",
  "/{a}/items",
  "/orders/{id}/**",
  "/{a}/{b}",
  "/.well-known/x+y",
];
const paths = [
  "/",
  "/orders",
  "/orders/",
  "/orders/1",
  "/orders/1/items",
  "/x/items",
  "/ordersx",
  "/Orders",
  "/orders//1",
  "*",
  "/a/b/c",
  "/.well-known/x+y",
];
const methods = ["GET", "HEAD", "POST", "get"];
const some = <T>(values: readonly T[], most = 3) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const regexes = [{ regex: "/[ow].*" }, { regex: "/orders/[0-9]+" }];

const header = fc.oneof(
  fc.record({
    name: fc.constantFrom("x-team", "X-Team"),
    exact: fc.oneof(fc.constantFrom("a", "b"), some(["a", "ab"])),
    not: maybe(fc.boolean()),
  }),
  fc.record({ name: fc.constant("x-team"), prefix: fc.constant("a"), not: maybe(fc.boolean()) }),
  fc.record({ name: fc.constant("x-team"), suffix: fc.constant("b"), not: maybe(fc.boolean()) }),
  fc.record({ name: fc.constant("x-team"), regex: fc.constant("a|b+"), not: maybe(fc.boolean()) }),
  fc.record({ name: fc.constant("x-team"), present: fc.boolean(), not: maybe(fc.boolean()) }),
);
const claims = fc.oneof(
  fc.record({ role: some(["admin", "user", 1, true]) }),
  fc.record({ scope: some(["read", "write"]) }),
  fc.record({ realm: fc.record({ roles: some(["admin"]) }) }),
);
/** A rule of which some fields may be absent, for {@link policyOf}. */
export const rule = fc.record({
  action: fc.constantFrom("allow", "allow", "deny", "audit"),
  from: maybe(
    fc.record({
      identities: maybe(some(patterns)),
      notIdentities: maybe(some(patterns)),
      addresses: maybe(some(["10.0.0.0/8", "10.1.2.3", "fd00::/8"])),
      notAddresses: maybe(some(["10.1.0.0/16", "::1"])),
      token: maybe(
        fc.record({ providers: maybe(some(["p"])), issuers: maybe(some(["i", "j"])), subjects: maybe(some(["s"])), claims: maybe(claims) }),
      ),
    }),
  ),
  to: maybe(
    fc.record({
      methods: maybe(some(["GET", "HEAD", "POST"])),
      notMethods: maybe(some(["GET", "POST"])),
      paths: maybe(fc.oneof(some(pathPatterns), some([...pathPatterns, ...regexes]))),
      notPaths: maybe(some([...pathPatterns, ...regexes])),
      headers: maybe(fc.array(header, { minLength: 1, maxLength: 2 })),
    }),
  ),
  when: maybe(
    fc.record({
      after: maybe(fc.constant("2026-01-01T00:00:00Z")),
      before: maybe(fc.constant("2027-01-01T00:00:00Z")),
      days: maybe(some(["sun", "mon", "fri"])),
      hours: maybe(fc.constantFrom("08:00-18:00", "22:00-06:00", "00:00-24:00")),
    }),
  ),
});

/** A policy of random rules, as a program may write it: leaves out fields that are absent and objects without a condition, which a policy must not have. */
export function policyOf(rules: readonly object[]): unknown {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, each]): [string, unknown] => [name, clean(each)])
        .filter(
          ([name, each]) =>
            each !== undefined &&
            !(name !== "token" && typeof each === "object" && !Array.isArray(each) && Object.keys(each as object).length === 0),
        ),
    );
  };
  const list = rules.map((each, index) => ({ id: `r${index}`, ...(clean(each) as { action: string; from?: Record<string, unknown> }) }));
  for (const { action, from } of list) if (action === "allow" && from?.["notIdentities"]) from["identities"] ??= ["*"];
  return { rules: list };
}

/** A request with its caller. */
export const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom(...methods),
  path: fc.constantFrom(...paths),
  headers: fc.array(fc.tuple(fc.constantFrom("x-team", "X-TEAM", "other"), fc.constantFrom("a", "b", "ab", "")), { maxLength: 3 }),
  identity: fc.constantFrom(...identities),
  address: fc.constantFrom(undefined, "10.1.2.3", "10.200.0.1", "192.0.2.1", "fd00::1", "::1"),
  tokens: fc.array(
    fc.record({
      provider: fc.constantFrom("p", "q"),
      issuer: fc.constantFrom("i", "j", "k"),
      subject: fc.constantFrom(undefined, "s", "t"),
      claims: fc.constantFrom<Record<string, unknown>>(
        {},
        { role: "admin" },
        { role: ["user", "x"] },
        { role: 1 },
        { scope: "read x" },
        { realm: { roles: ["admin"] } },
        { realm: "admin" },
      ),
    }),
    { maxLength: 2 },
  ),
  nowMs: fc.integer({ min: Date.UTC(2025, 11, 1), max: Date.UTC(2027, 1, 1) }),
});
