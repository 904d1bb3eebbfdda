import { describe, expect, test } from "vitest";
import { CompiledPolicy } from "../../src/authorization/compiled-policy.ts";
import type { PolicyRule } from "../../src/authorization/policy.ts";
import { checkPolicy } from "../../src/authorization/text/read-policy.ts";

const web = "spiffe://example.org/web";

function decide(rules: readonly Omit<PolicyRule, "id">[], method = "GET", path = "/", identity: string | undefined = web) {
  const policy = new CompiledPolicy(checkPolicy({ rules: rules.map((rule, index) => ({ id: `r${index}`, ...rule })) }));
  const { allowed, ruleId, reason } = policy.decide(
    { method, path, headerValues: () => [] },
    { identity, address: "10.0.0.1", tokens: [] },
    0,
  );
  return { allowed, ruleId, reason };
}

describe("CompiledPolicy", () => {
  test("denies everything where there is no rule, and where there are only rules that deny", () => {
    const none = { allowed: false, ruleId: undefined, reason: "no rule allows it" };
    expect(decide([])).toEqual(none);
    expect(decide([{ action: "deny", to: { paths: ["/admin/**"] } }], "GET", "/public")).toEqual(none);
    expect(decide([{ action: "audit" }])).toEqual(none);
  });

  test("lets a rule that denies win over all that allow, wherever it stands", () => {
    const allow: Omit<PolicyRule, "id"> = { action: "allow", from: { identities: [web] }, to: { methods: ["GET"], paths: ["/admin/x"] } };
    expect(decide([allow, { action: "deny", to: { paths: ["/admin/**"] } }], "GET", "/admin/x")).toEqual({
      allowed: false,
      ruleId: "r1",
      reason: "a rule denies it",
    });
  });

  test("takes GET for no HEAD, and a method in lower case for another one", () => {
    const rules: Omit<PolicyRule, "id">[] = [{ action: "allow", to: { methods: ["GET"] } }];
    expect([decide(rules, "GET").allowed, decide(rules, "HEAD").allowed, decide(rules, "get").allowed]).toEqual([true, false, false]);
  });

  test("takes a path of ** for the path itself and all below it, and for none that only begins alike", () => {
    const of = (path: string) => decide([{ action: "allow", to: { paths: ["/admin/**"] } }], "GET", path).allowed;
    expect(["/admin", "/admin/", "/admin/a/b", "/administrator", "/", "/Admin"].map(of)).toEqual([true, true, true, false, false, false]);
  });

  test.each([
    ["spiffe://example.org/web", true],
    ["spiffe://example.org/web/", false],
    ["spiffe://example.org/website", false],
    ["spiffe://example.org.evil.net/web", false],
    ["spiffe://example.org/web?x", false],
    ["SPIFFE://example.org/web", false],
    ["", false],
    [undefined, false],
  ])("an exact identity, asked for %j: %j", (identity, allowed) => {
    // `undefined` as an argument is the default.
    const policy = new CompiledPolicy(checkPolicy({ rules: [{ id: "a", action: "allow", from: { identities: [web] } }] }));
    expect(
      policy.decide({ method: "GET", path: "/", headerValues: () => [] }, { identity, address: undefined, tokens: [] }, 0).allowed,
    ).toBe(allowed);
  });

  test("wants all values of a header that is sent twice to match where a rule allows, and one where it denies", () => {
    const values = ["a", "b"];
    const of = (action: "allow" | "deny") => {
      const rules = [{ id: "x", action, to: { headers: [{ name: "X-Team", exact: "a" }] } }];
      return new CompiledPolicy(checkPolicy({ rules })).decide(
        { method: "GET", path: "/", headerValues: (name) => (name === "x-team" ? values : []) },
        { identity: web, address: undefined, tokens: [] },
        0,
      ).ruleId;
    };
    expect([of("allow"), of("deny")]).toEqual([undefined, "x"]);
  });

  test("reads names of claims as names: no inherited property is one", () => {
    const rules = [{ id: "x", action: "allow", from: { token: { claims: JSON.parse('{"__proto__":["a"]}') as object } } }];
    const policy = new CompiledPolicy(checkPolicy({ rules }));
    const of = (claims: object) =>
      policy.decide(
        { method: "GET", path: "/", headerValues: () => [] },
        {
          identity: web,
          address: undefined,
          tokens: [{ provider: "p", issuer: "i", subject: undefined, claims: claims as Record<string, unknown> }],
        },
        0,
      ).allowed;
    expect([of({}), of(JSON.parse('{"__proto__":"a"}') as object)]).toEqual([false, true]);
  });

  test("a rule with more combinations than the index has places for decides the same", () => {
    const identities = Array.from({ length: 500 }, (_, index) => `spiffe://example.org/s${index}`);
    const paths = Array.from({ length: 500 }, (_, index) => `/p${index}`);
    const rules: Omit<PolicyRule, "id">[] = [{ action: "allow", from: { identities }, to: { paths, methods: ["GET", "PUT"] } }];
    expect(decide(rules, "GET", "/p499", "spiffe://example.org/s499").allowed).toBe(true);
    expect(decide(rules, "GET", "/p500", "spiffe://example.org/s499").allowed).toBe(false);
    expect(decide(rules, "GET", "/p1", "spiffe://example.org/s500").allowed).toBe(false);
    expect(decide(rules, "POST", "/p1", "spiffe://example.org/s1").allowed).toBe(false);
  });
});
