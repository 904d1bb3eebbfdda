/** A request of one service to `orders`. */
export interface IntentionCase {
  readonly source: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Which token it carries. */
  readonly token?: "admin" | "user" | "expired" | "other-issuer" | "nested" | "list" | "number";
}

/** Intentions about `orders`, as sources of the configuration entry, and requests to put to them. */
export interface IntentionSetCase {
  readonly name: string;
  readonly sources: readonly object[];
  /** Sources of the entry for `*`. */
  readonly anySources?: readonly object[];
  /** Tokens that every intention needs. */
  readonly jwt?: object;
  readonly requests: readonly IntentionCase[];
  /** The source that a sidecar lets pass and Consul's own order of precedence denies, where the default is to deny. */
  readonly deniedByPrecedence?: string;
}

const all: readonly IntentionCase[] = [{ source: "web" }, { source: "batch" }, { source: "other", path: "/admin" }];
const l7 = (source: string, ...Permissions: readonly object[]): object => ({ Name: source, Permissions });
const permission = (Action: string, HTTP: object, JWT?: object): object => ({ Action, HTTP, ...(JWT === undefined ? {} : { JWT }) });
const paths = (source: string, ...list: readonly string[]): readonly IntentionCase[] => list.map((path) => ({ source, path }));
const header = (condition: object): object => ({ PathPrefix: "/", Header: [{ Name: "x-team", ...condition }] });

const ordinaryPaths = [
  "/",
  "/orders",
  "/orders/",
  "/orders/7",
  "/orders?id=7",
  "/ordersheet",
  "/admin",
  "/admin/users",
  "/ADMIN",
  "/admin?x=/orders",
];
/** Paths that readers understand differently. */
export const trickyPaths = [
  "/x/../admin",
  "/%61dmin",
  "//admin",
  "/./admin",
  "/admin/.",
  "/orders/../admin",
  "/orders/%2e%2e/admin",
  "/orders%2f..%2fadmin",
  "/x\\admin",
  "/orders//admin",
  "/%2Fadmin",
  "/orders%5cadmin",
] as const;

const teams: readonly IntentionCase[] = [
  { source: "web" },
  ...["a", "b", "ab", "ba", "A", ""].map((team) => ({ source: "web", headers: { "x-team": team } })),
  { source: "web", headers: { "x-team": ["a", "b"] } },
  { source: "web", headers: { "x-team": ["b", "a"] } },
  { source: "web", headers: { "x-team": "a,b" } },
];

const tokens = ["admin", "user", "expired", "other-issuer", "nested", "list", "number", undefined].flatMap((token): IntentionCase[] => {
  const carried = token === undefined ? {} : { token: token as NonNullable<IntentionCase["token"]> };
  return [
    { source: "web", path: "/admin", ...carried },
    { source: "web", path: "/orders", ...carried },
  ];
});
const provider = (...VerifyClaims: readonly object[]): object => ({ Providers: [{ Name: "test-provider", VerifyClaims }] });
const asAdmin = provider({ Path: ["role"], Value: "admin" });

/** Sets of intentions by hand, each with what it is about. */
export const handMade: readonly IntentionSetCase[] = [
  { name: "none", sources: [], requests: all },
  { name: "one allows", sources: [{ Name: "web", Action: "allow" }], requests: all },
  { name: "one denies", sources: [{ Name: "web", Action: "deny" }], requests: all },
  {
    name: "an exact source before any",
    sources: [
      { Name: "web", Action: "deny" },
      { Name: "*", Action: "allow" },
    ],
    requests: all,
  },
  {
    name: "any is denied",
    sources: [
      { Name: "*", Action: "deny" },
      { Name: "batch", Action: "allow" },
    ],
    requests: all,
  },
  {
    name: "any destination",
    sources: [{ Name: "web", Action: "allow" }],
    anySources: [
      { Name: "web", Action: "deny" },
      { Name: "batch", Action: "allow" },
    ],
    requests: all,
  },
  {
    name: "an exact destination before an exact source",
    sources: [{ Name: "*", Action: "deny" }],
    anySources: [{ Name: "batch", Action: "allow" }],
    requests: all,
    deniedByPrecedence: "batch",
  },
  {
    name: "an exact destination that allows before an exact source that is denied",
    sources: [{ Name: "*", Action: "allow" }],
    anySources: [{ Name: "batch", Action: "deny" }],
    requests: all,
  },
  {
    name: "paths by prefix, a denial first",
    sources: [l7("web", permission("deny", { PathPrefix: "/admin" }), permission("allow", { PathPrefix: "/" }))],
    requests: [...paths("web", ...ordinaryPaths, ...trickyPaths), { source: "batch" }],
  },
  {
    name: "exact paths",
    sources: [
      l7(
        "web",
        permission("allow", { PathExact: "/orders" }),
        permission("deny", { PathExact: "/" }),
        permission("allow", { PathExact: "/admin" }),
      ),
    ],
    requests: paths("web", ...ordinaryPaths),
  },
  {
    name: "paths by expression",
    sources: [l7("web", permission("allow", { PathRegex: "/orders/[0-9]+" }), permission("deny", { PathRegex: ".*min|/orders" }))],
    requests: paths("web", ...ordinaryPaths, "/orders/77", "/orders/7x", "/x/orders/7"),
  },
  {
    name: "methods",
    sources: [
      l7("web", permission("allow", { PathPrefix: "/orders", Methods: ["GET", "POST"] }), permission("deny", { Methods: ["DELETE"] })),
    ],
    requests: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"].flatMap((method) => [
      { source: "web", method, path: "/orders" },
      { source: "web", method, path: "/" },
    ]),
  },
  ...(["allow", "deny"] as const).flatMap((action) =>
    [{ Present: true }, { Exact: "a" }, { Prefix: "a" }, { Suffix: "a" }, { Regex: "a+" }].flatMap((condition) =>
      [false, true].map((Invert) => ({
        name: `a header ${JSON.stringify(condition)}, ${Invert ? "inverted, " : ""}${action}`,
        sources: [l7("web", permission(action, header({ ...condition, Invert })))],
        requests: teams,
      })),
    ),
  ),
  {
    name: "two headers and a method",
    sources: [
      l7(
        "web",
        permission("allow", {
          PathPrefix: "/",
          Methods: ["GET"],
          Header: [
            { Name: "x-team", Exact: "a" },
            { Name: "X-Env", Present: true },
          ],
        }),
      ),
    ],
    requests: [
      ...teams,
      { source: "web", headers: { "x-team": "a", "x-env": "test" } },
      { source: "web", method: "POST", headers: { "x-team": "a", "x-env": "test" } },
      { source: "web", headers: { "x-env": "test" } },
    ],
  },
  {
    name: "a token for a path",
    sources: [l7("web", permission("allow", { PathPrefix: "/admin" }, asAdmin), permission("allow", { PathPrefix: "/" }))],
    requests: tokens,
  },
  {
    name: "a token for a denial",
    sources: [l7("web", permission("deny", { PathPrefix: "/admin" }, asAdmin), permission("allow", { PathPrefix: "/" }))],
    requests: tokens,
  },
  {
    name: "a nested claim",
    sources: [l7("web", permission("allow", { PathPrefix: "/" }, provider({ Path: ["realm", "role"], Value: "admin" })))],
    requests: tokens,
  },
  {
    name: "two conditions on one header",
    sources: [
      l7(
        "web",
        permission("allow", {
          PathPrefix: "/",
          Header: [
            { Name: "x-team", Prefix: "a" },
            { Name: "x-team", Suffix: "b" },
          ],
        }),
      ),
    ],
    requests: [...teams, { source: "web", headers: { "x-team": " ab\t" } }, { source: "web", headers: { "x-team": ["ax", "xb"] } }],
  },
  {
    name: "a condition on what only HTTP/2 names so",
    sources: [
      l7(
        "web",
        permission("deny", { PathPrefix: "/", Header: [{ Name: ":method", Exact: "PUT" }] }),
        permission("allow", { PathPrefix: "/", Header: [{ Name: ":authority", Prefix: "orders" }] }),
      ),
    ],
    requests: ["orders.test", "orders", "other.test", "x.orders"].flatMap((host) => [
      { source: "web", headers: { host } },
      { source: "web", method: "PUT", headers: { host } },
    ]),
  },
  {
    name: "expressions that are not anchored, and fold case",
    sources: [
      l7("web", permission("deny", { PathRegex: "(?i)/admin" }), permission("allow", { PathRegex: "/orders|/ordersheet|.*=.*|/admin.*" })),
    ],
    requests: paths("web", ...ordinaryPaths, "/Admin", "/admin/", "/orders=1", "/x?y=z"),
  },
  {
    name: "paths that look alike",
    sources: [l7("web", permission("deny", { PathExact: "/admin" }), permission("allow", { PathPrefix: "/admin" }))],
    requests: paths("web", "/admin", "/admin?", "/admin/", "/admin;x=1", "/admin%20", "/admin?/x", "/admin#x", "/Admin", "/admin~"),
  },
  {
    name: "methods of no permission",
    sources: [l7("web", permission("allow", { PathPrefix: "/", Methods: ["TRACE", "GET"] }))],
    requests: ["PURGE", "GET", "TRACE", "LINK", "HEAD"].map((method) => ({ source: "web", method })),
  },
  {
    name: "permissions of a source that do not match, beside those of any",
    sources: [
      l7("web", permission("allow", { PathExact: "/orders" })),
      l7("*", permission("allow", { PathPrefix: "/admin" }), permission("deny", { PathPrefix: "/" })),
    ],
    requests: [...paths("web", "/orders", "/admin", "/"), ...paths("batch", "/orders", "/admin", "/")],
  },
  {
    name: "a claim that is no text",
    sources: [l7("web", permission("allow", { PathPrefix: "/" }, provider({ Path: ["role"], Value: "1" })))],
    requests: tokens,
  },
  {
    name: "a token for an intention and another claim for its permission",
    sources: [l7("web", permission("allow", { PathPrefix: "/admin" }, asAdmin), permission("allow", { PathPrefix: "/orders" }))],
    jwt: provider({ Path: ["role"], Value: "user" }),
    requests: tokens,
  },
  { name: "a token for all intentions", sources: [{ Name: "web", Action: "allow" }], jwt: asAdmin, requests: tokens },
];

/** A sequence of numbers below a bound that is the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Sets that are drawn: up to five permissions, and requests that meet some of them. */
export function generated(count: number, seed: number): readonly IntentionSetCase[] {
  const next = sequence(seed);
  const one = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const pathRules = [
    { PathPrefix: "/orders" },
    { PathPrefix: "/" },
    { PathExact: "/admin" },
    { PathRegex: "/o.*/[0-9]" },
    { PathPrefix: "/admin" },
  ];
  const headerRules = [{ Exact: "a" }, { Prefix: "a" }, { Suffix: "b" }, { Regex: "[ab]" }, { Present: true }];
  const drawn = (): object => ({
    ...one(pathRules),
    ...(next(2) === 0 ? { Methods: [one(["GET", "POST", "PUT"]), "DELETE"] } : {}),
    ...(next(2) === 0 ? { Header: [{ Name: "x-team", Invert: next(3) === 0, ...one(headerRules) }] } : {}),
  });
  return Array.from({ length: count }, (_, index) => ({
    name: `drawn ${index}`,
    sources: [
      l7("web", ...Array.from({ length: 1 + next(5) }, () => permission(one(["allow", "deny"]), drawn()))),
      ...(next(2) === 0 ? [l7("*", permission(one(["allow", "deny"]), drawn()))] : []),
    ],
    requests: Array.from({ length: 12 }, () => ({
      source: one(["web", "web", "batch"]),
      method: one(["GET", "POST", "PUT", "DELETE"]),
      path: one(["/", "/orders", "/orders/7", "/admin", "/admin/7", "/other?x=/admin"]),
      headers: one([{}, { "x-team": "a" }, { "x-team": "ab" }, { "x-team": ["b", "a"] }]),
    })),
  }));
}
