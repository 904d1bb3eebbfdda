import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KeySet, parseKeySet } from "../../src/authentication/key-set.ts";
import { LivePolicy } from "../../src/authorization/sources/live-policy.ts";
import type { PolicyListener } from "../../src/authorization/sources/policy-source.ts";
import { parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { systemClock } from "../../src/core/clock.ts";
import { CheckedCredentials } from "../../src/identity/checked-credentials.ts";
import { CompiledIntentions } from "../../src/registries/consul/connect/intentions/compiled-intentions.ts";
import { intentionsOf } from "../../src/registries/consul/connect/intentions/read-intentions.ts";
import { identityOfXfcc } from "../../src/server/inbound/proxies/forwarded-identity.ts";
import { Authority } from "../support/authority.ts";
import { longestTurn, threadMs } from "../support/longest-turn.ts";
import { until } from "../support/until.ts";

const limitMs = 50;
const listOf = <T>(count: number, one: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => one(index));

/** As many rules as a policy may have, or its text may hold. */
function policyOf(one: (index: number) => object, most = 10_000): string {
  const rules: string[] = [];
  let [length, pieces] = [20, 0];
  for (let index = 0; index < most; index++) {
    const rule = JSON.stringify({ id: `r${index}`, action: "allow", ...one(index) });
    length += rule.length + 1;
    pieces += rule.split(",").length;
    if (length > 1_048_576 || pieces > 99_990) break;
    rules.push(rule);
  }
  return `{"rules":[${rules.join(",")}]}`;
}

const capital = (index: number): string => `M${String.fromCharCode(65 + index)}`;
const policies: readonly [what: string, text: () => string][] = [
  ["ten thousand rules", () => policyOf((n) => ({ to: { methods: ["GET"], paths: [`/a/${n}/{id}`] } }))],
  [
    "rules of many callers, methods and paths",
    () =>
      policyOf((n) => ({
        from: { identities: listOf(16, (i) => `${n}-${i}`) },
        to: { methods: listOf(16, capital), paths: listOf(16, (i) => `/${n}/${i}`) },
      })),
  ],
  [
    "rules of many callers and paths",
    () => policyOf(() => ({ from: { identities: listOf(64, (i) => `a${i}`) }, to: { paths: listOf(64, (i) => `/${i}`) } })),
  ],
  [
    "long lists of callers",
    () => policyOf(() => ({ from: { identities: ["*"], notIdentities: listOf(4_096, (i) => `spiffe://a/${i}/`) } })),
  ],
  ["long lists of networks", () => policyOf(() => ({ from: { addresses: listOf(4_096, (i) => `10.${i >> 8}.${i & 255}.0/24`) } }))],
  ["long lists of paths", () => policyOf(() => ({ to: { notPaths: listOf(4_096, (i) => `/a/{x}/${i}`) } }))],
  ["deep paths", () => policyOf((n) => ({ to: { paths: [`/${n}${"/a".repeat(400)}`] } }))],
  ["a thousand expressions", () => policyOf((n) => ({ to: { paths: [{ regex: `/a${n}/[a-z]+` }] } }), 1_000)],
  ["expressions of many states", () => policyOf((n) => ({ to: { paths: [{ regex: `/${n}/[a-z]{1,900}` }] } }), 11)],
  ["many conditions on headers", () => policyOf(() => ({ to: { headers: [{ name: "x", exact: listOf(20, (i) => `v${i}`) }] } }))],
  ["a fault in the last rule", () => policyOf((n) => (n === 9_000 ? { too: 1 } : { to: { paths: [`/${n}`] } }), 9_001)],
  [
    "a name twice in the last rule",
    () => policyOf((n) => ({ to: { paths: [`/${n}`] } }), 9_000).replace('"id":"r8999"', '"id":"a","id":"r8999"'),
  ],
];

describe.skipIf(threadMs === undefined)("the event loop is not held", { timeout: 180_000 }, () => {
  it.each(policies)("by a policy of %s", async (_, text) => {
    const given = text();
    const { ms } = await longestTurn(async () => {
      const live = new LivePolicy(undefined, systemClock);
      let told: PolicyListener | undefined;
      const warned: string[] = [];
      const onWarning = ({ message }: Error): void => void warned.push(message);
      process.on("warning", onWarning);
      live.follow({
        name: "the source",
        watch(listener) {
          told = listener;
          return { close: () => {} };
        },
      });
      told?.update(given);
      await until("the policy", () => live.current !== undefined || warned.length > 0, 60_000);
      process.off("warning", onWarning);
      live.close();
      for (const message of warned) expect(message).toMatch(/^the source:1:\d+: .*(?:there is no such field|unique)/);
      live.current?.decide(
        { method: "GET", path: "/a/1/x", headerValues: () => [] },
        { identity: "a1", address: "10.0.0.1", tokens: [] },
        0,
      );
    });
    expect(ms).toBeLessThan(limitMs);
  });

  it("by ten thousand intentions about a service", async () => {
    const body = listOf(10_000, (index) => ({
      SourceName: `s${index}`,
      DestinationName: "orders",
      Permissions: [{ Action: "allow", HTTP: { PathPrefix: `/${index}`, Methods: ["GET"] } }],
    }));
    const { ms, result } = await longestTurn(async () => {
      const intentions = intentionsOf({ orders: body }, "orders");
      return new CompiledIntentions({ trustDomain: "a", byDefault: "deny", isHttp: true, intentions, issuers: new Map() });
    });
    expect(ms).toBeLessThan(limitMs);
    const caller = { identity: "spiffe://a/ns/default/dc/dc1/svc/s9999", address: undefined, tokens: [] };
    expect((result as CompiledIntentions).decide({ method: "GET", path: "/9999", headerValues: () => [] }, caller).allowed).toBe(true);
  });

  it.each([
    ["of RSA", generateKeyPairSync("rsa", { modulusLength: 2_048 })],
    ["of elliptic curves", generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ])("by a key set %s as large as one may be", async (_, { publicKey }) => {
    const jwk = publicKey.export({ format: "jwk" });
    const alg = jwk.kty === "RSA" ? "RS256" : "ES256";
    const one = (kid: number): string => JSON.stringify({ ...jwk, kid: `${kid}`, alg });
    const count = Math.floor(262_000 / (one(9_999).length + 1));
    const text = `{"keys":[${listOf(count, one).join(",")}]}`;
    const { ms } = await longestTurn(async () => new KeySet([alg]).replace(parseKeySet(text)));
    expect(ms).toBeLessThan(limitMs);
  });

  it("by as many authorities as an identity may have", async () => {
    const authority = await Authority.create("the authority");
    const { certificate, key } = await authority.issue({ uris: ["spiffe://example.org/a"] });
    const trust = { authorities: [authority.certificate.repeat(256)], bundles: new Map() };
    const { ms } = await longestTurn(async () => new CheckedCredentials({ certificate, key, trust }, Date.now()));
    expect(ms).toBeLessThan(limitMs);
    const many = { ...trust, authorities: [authority.certificate.repeat(257)] };
    expect(() => new CheckedCredentials({ certificate, key, trust: many }, Date.now())).toThrow(
      /257 certificates of authorities; 256 are allowed/,
    );
    const long = certificate + authority.certificate.repeat(16);
    expect(() => new CheckedCredentials({ certificate: long, key, trust }, Date.now())).toThrow(/a chain of 17; 16 are allowed/);
  });

  it.each([
    ["elements", "a=b,".repeat(4_000)],
    ["backslashes", `a="${"\\".repeat(16_000)}`],
    ["quotes", `a=${'"";a='.repeat(3_000)}`],
    ["one name", "a".repeat(16_384)],
  ])("by a header of a proxy with %s", async (_, header) => {
    expect((await longestTurn(async () => identityOfXfcc(header))).ms).toBeLessThan(limitMs);
  });
});

describe("a policy beyond a bound", () => {
  it.each([
    ["a list", { paths: listOf(4_097, (i) => `/${i}`) }, "rules[0].to.paths: it has 4097 values; 4096 are allowed"],
    [
      "expressions",
      { paths: listOf(1_001, (i) => ({ regex: `/${i}` })) },
      "rules[0].to.paths[1000].regex: there are more than 1000 regular expressions",
    ],
    ["states", { paths: listOf(60, () => ({ regex: "[a-z]{1,900}" })) }, "have more than 20000 states"],
    ["repetitions", { paths: [{ regex: "((a{1,100}){1,10}){1,10}" }] }, "the regular expression repeats too much: about"],
    ["repeated pieces", { paths: [{ regex: "a{1000}".repeat(100) }] }, "the regular expression repeats too much: about"],
  ])("of %s says which", (_, to, message) => {
    expect(() => parsePolicy(JSON.stringify({ rules: [{ id: "a", action: "allow", to }] }), "p")).toThrow(message);
  });

  it("quotes no name of a megabyte", () => {
    const refused = () => parsePolicy(JSON.stringify({ rules: [{ id: "a", action: "allow", ["z".repeat(900_000)]: 1 }] }), "p");
    expect(refused).toThrow(/^p:1:\d+: rules\[0\]\.z{60}…: there is no such field/);
  });
});
