import { describe, expect, it } from "vitest";
import type { AuthorizationRequest } from "../../../../../src/authorization/request.ts";
import type { Caller, VerifiedToken } from "../../../../../src/core/peers/caller.ts";
import { CompiledIntentions, type IntentionSet } from "../../../../../src/registries/consul/connect/intentions/compiled-intentions.ts";
import { intentionsOf } from "../../../../../src/registries/consul/connect/intentions/read-intentions.ts";

const trustDomain = "mesh.consul";
const intention = (SourceName: string, rest: object): object => ({ SourceName, DestinationName: "orders", ...rest });
const compiled = (list: readonly object[], overrides: Partial<IntentionSet> = {}): CompiledIntentions =>
  new CompiledIntentions({
    trustDomain,
    byDefault: "deny",
    isHttp: true,
    intentions: intentionsOf({ orders: list }, "orders"),
    issuers: new Map([["okta", "https://okta.test"]]),
    ...overrides,
  });
const request = (path = "/", method = "GET"): AuthorizationRequest => ({ method, path, headerValues: () => [] });
const caller = (
  identity: string | undefined = `spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`,
  tokens: readonly VerifiedToken[] = [],
): Caller => ({
  identity,
  address: undefined,
  tokens,
});
const allowsWeb = intention("web", { Action: "allow" });

describe("compiled intentions", () => {
  it("name the intention and the permission that have decided", () => {
    const Permissions = [
      { Action: "deny", HTTP: { PathPrefix: "/admin" } },
      { Action: "allow", HTTP: { PathPrefix: "/" } },
    ];
    const policy = compiled([intention("web", { Permissions })]);
    expect(policy.decide(request("/admin"), caller())).toMatchObject({ allowed: false, ruleId: "web → orders #1" });
    expect(policy.decide(request("/orders"), caller())).toMatchObject({ allowed: true, ruleId: "web → orders #2" });
  });

  it.each([
    ["without an identity", undefined],
    ["of another trust domain", "spiffe://other.consul/ns/default/dc/dc1/svc/web"],
    ["of another namespace", `spiffe://${trustDomain}/ns/other/dc/dc1/svc/web`],
    ["that is no service", `spiffe://${trustDomain}/gateway/mesh/dc/dc1`],
    ["with more behind the name", `spiffe://${trustDomain}/ns/default/dc/dc1/svc/web/x`],
    ["with a name of DNS", "web"],
  ])("deny a caller %s, also where the default is to allow", (_what, identity) => {
    const policy = compiled([intention("*", { Action: "allow" })], { byDefault: "allow" });
    expect(policy.decide(request(), { identity, address: undefined, tokens: [] }).allowed).toBe(false);
    expect(policy.decide(request(), caller()).allowed).toBe(true);
  });

  it("do not compare the datacentre", () => {
    expect(compiled([allowsWeb]).decide(request(), caller(`spiffe://${trustDomain}/ns/default/dc/dc9/svc/web`)).allowed).toBe(true);
  });

  it("deny by permissions where the service is none of HTTP", () => {
    const policy = compiled([intention("web", { Permissions: [{ Action: "allow", HTTP: { PathPrefix: "/" } }] })], {
      isHttp: false,
      byDefault: "allow",
    });
    expect(policy.decide(request(), caller()).allowed).toBe(false);
  });

  it("take a token only of the named provider, with its issuer and claims", () => {
    const JWT = { Providers: [{ Name: "okta", VerifyClaims: [{ Path: ["realm", "role"], Value: "admin" }] }] };
    const policy = compiled([intention("web", { Permissions: [{ Action: "allow", HTTP: { PathPrefix: "/" }, JWT }] })]);
    const token = { provider: "okta", issuer: "https://okta.test", subject: "u", claims: { realm: { role: "admin" } } };
    const decide = (given: object): boolean => policy.decide(request(), caller(undefined, [{ ...token, ...given }])).allowed;
    expect(decide({})).toBe(true);
    expect(decide({ provider: "other" })).toBe(false);
    expect(decide({ issuer: "https://evil.test" })).toBe(false);
    expect(decide({ claims: { realm: { role: ["admin"] } } })).toBe(false);
    expect(decide({ claims: Object.create({ realm: { role: "admin" } }) })).toBe(false);
  });

  it("are refused whole where a part is not understood", () => {
    const of = (permission: object): object => intention("web", { Permissions: [permission] });
    expect(() => compiled([of({ Action: "deny", HTTP: { PathGlob: "/x" } })])).toThrow('has a condition "PathGlob" that is not understood');
    expect(() => compiled([of({ Action: "maybe", HTTP: {} })])).toThrow("an action that is neither allow nor deny");
    expect(() => compiled([of({ Action: "deny", HTTP: { PathRegex: "(" } })])).toThrow("the regular expression is wrong");
    expect(() => compiled([of({ Action: "allow", JWT: { Providers: [{ Name: "none" }] } })])).toThrow(
      "jwt-provider none, which does not exist",
    );
    expect(() => intentionsOf({ other: [] }, "orders")).toThrow("no list of intentions for orders");
  });

  it("are decided by an expression in time that grows with the text", () => {
    const policy = compiled([intention("web", { Permissions: [{ Action: "allow", HTTP: { PathRegex: "/(a+)+b" } }] })]);
    const start = performance.now();
    expect(policy.decide(request(`/${"a".repeat(10_000)}`), caller()).allowed).toBe(false);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
