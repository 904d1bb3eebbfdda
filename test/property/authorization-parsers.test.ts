import fc from "fast-check";
import { expect, it } from "vitest";
import { CompiledPolicy } from "../../src/authorization/compiled-policy.ts";
import { pathOfTarget, pathProblem } from "../../src/authorization/conditions/strict-path.ts";
import { PolicyError } from "../../src/authorization/text/policy-error.ts";
import { checkPolicy, parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { AddressList } from "../../src/core/peers/address-list.ts";
import { compilePermission } from "../../src/registries/consul/connect/intentions/compiled-permission.ts";
import { intentionsOf } from "../../src/registries/consul/connect/intentions/read-intentions.ts";
import { ConsulError } from "../../src/registries/consul/http/consul-error.ts";
import { anyJson, bits, read, seed } from "./hostile-inputs.ts";

it("policies: their own error alone, as a text and as an object, and one that is read denies what nothing allows", () => {
  const word = fc.constantFrom(
    "a",
    "*",
    "/x",
    "/x/**",
    "/{y}",
    "spiffe://td/a",
    "spiffe://td/",
    "GET",
    "10.0.0.0/8",
    "08:00-18:00",
    "",
    1,
    null,
    true,
    {},
    [],
  );
  const list = fc.oneof(fc.array(word, { maxLength: 3 }), word);
  const rule = fc.record(
    {
      id: fc.oneof(fc.string({ maxLength: 3 }), word),
      action: fc.constantFrom("allow", "deny", "audit", "x"),
      from: fc.oneof(word, fc.record({ identities: list, notIdentities: list, addresses: list, token: anyJson }, { requiredKeys: [] })),
      to: fc.oneof(
        word,
        fc.record(
          {
            methods: list,
            paths: list,
            notPaths: list,
            headers: fc.array(fc.record({ name: word, exact: list, regex: word, not: word }, { requiredKeys: [] })),
          },
          { requiredKeys: [] },
        ),
      ),
      when: fc.oneof(word, fc.record({ hours: word, days: list, after: word }, { requiredKeys: [] })),
    },
    { requiredKeys: ["id", "action"] },
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(anyJson, fc.record({ rules: fc.array(rule, { maxLength: 4 }) })), (value) => {
      const policy = read(() => checkPolicy(value), PolicyError);
      const again = read(() => parsePolicy(JSON.stringify(value)), PolicyError);
      expect(again).toEqual(policy);
      if (policy === undefined) return;
      accepted++;
      expect(checkPolicy(policy)).toEqual(policy);
      const decision = new CompiledPolicy(policy).decide(
        { method: "ODD", path: "/nowhere", headerValues: () => [] },
        { identity: undefined, address: undefined, tokens: [] },
        Number.NaN,
      );
      if (decision.allowed) expect(policy.rules.find(({ id }) => id === decision.ruleId)?.action).toBe("allow");
    }),
    { seed, numRuns: 3_000 },
  );
  expect(accepted).toBeGreaterThan(20);
  fc.assert(
    fc.property(
      bits(
        [
          "rules:",
          "\n",
          " ",
          "- ",
          "id: a",
          "action: allow",
          "{",
          "}",
          "[",
          "]",
          "? ",
          ": ",
          "&a ",
          "*a",
          "!!str ",
          "|",
          ">",
          '"',
          "'",
          "#",
          "---",
          "%YAML 1.2",
          "\t",
          "<<: ",
        ],
        30,
      ),
      (text) => {
        read(() => parsePolicy(text), PolicyError);
      },
    ),
    { seed, numRuns: 3_000 },
  );
}, 60_000);

it("paths: what passes is read alike by this process, by URL and by a reader that decodes", () => {
  fc.assert(
    fc.property(
      bits(
        [
          "/",
          "a",
          "..",
          ".",
          "%2e",
          "%2f",
          "%5c",
          "%25",
          "%C3%A9",
          "%",
          ";",
          "?",
          "#",
          "\\",
          "//",
          "http://h",
          "@",
          "%00",
          "\u00e9",
          " ",
          "*",
        ],
        10,
      ),
      (text) => {
        const path = read(() => pathOfTarget(text));
        if (path === undefined || read(() => pathProblem(path)) !== undefined) return;
        const url = new URL(path, "http://h");
        expect(url.pathname).toBe(path.replaceAll(/["<>^`{|}]/g, (char) => encodeURIComponent(char)));
        expect(new URL(decodeURI(path), "http://h").pathname.split("/").length).toBe(path.split("/").length);
      },
    ),
    { seed, numRuns: 20_000 },
  );
});

it("networks: an error for what is none, and each address is in its own", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.nat(128), bits(["1", "0", ".", ":", "/", "f", "-", "%", "255", "::", "x"], 10), (given, prefix, text) => {
      read(() => new AddressList([text]), Error);
      const list = read(() => new AddressList([`${given}/${prefix}`]), Error);
      if (list === undefined) expect(given.includes(":")).toBe(false);
      else expect(list.has(given)).toBe(true);
      expect(new AddressList([given]).has(given)).toBe(true);
    }),
    { seed, numRuns: 5_000 },
  );
});

it("intentions: their own error alone; a condition that is not understood is never left out", () => {
  const http = fc.record(
    { PathExact: anyJson, PathPrefix: anyJson, PathRegex: anyJson, Methods: anyJson, Header: anyJson, Odd: anyJson },
    { requiredKeys: [] },
  );
  const entry = fc.record(
    {
      SourceName: fc.constantFrom("web", "*", "", 1),
      DestinationName: fc.constant("api"),
      Action: fc.constantFrom("allow", "deny", "", "x", null),
      Permissions: fc.oneof(
        anyJson,
        fc.array(fc.record({ Action: fc.constantFrom("allow", "deny", 1), HTTP: http }, { requiredKeys: ["Action"] })),
      ),
      JWT: anyJson,
      SourcePeer: anyJson,
      SourceNS: anyJson,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(anyJson, fc.record({ api: fc.oneof(anyJson, fc.array(entry, { maxLength: 3 })) })), (body) => {
      const intentions = read(() => intentionsOf(body, "api"), ConsulError) ?? [];
      for (const { permissions } of intentions) for (const permission of permissions) read(() => compilePermission(permission), Error);
    }),
    { seed, numRuns: 5_000 },
  );
  const wide = (condition: object) => ({ api: [{ SourceName: "web", Permissions: [{ Action: "allow", HTTP: condition }] }] });
  for (const condition of [
    { PathExact: 5 },
    { PathPrefix: ["/x"] },
    { PathRegex: {} },
    { PathExact: "/a", PathPrefix: "/b" },
    { Header: [{ Name: "a", Exact: 5 }] },
    { Header: [{ Name: "a", Present: "true" }] },
    { Header: [{ Name: "a", Present: true, Invert: "yes" }] },
    { Header: [{ Name: "a", Exact: "b", IgnoreCase: 1 }] },
    { Header: [{ Name: "a", Exact: "b", Prefix: "c" }] },
    { Methods: "GET" },
  ])
    expect(() => intentionsOf(wide(condition), "api"), JSON.stringify(condition)).toThrow(ConsulError);
  for (const odd of [
    { SourcePeer: 5 },
    { SourceSamenessGroup: {} },
    { SourceNS: ["x"] },
    { JWT: [] },
    { JWT: { Providers: {} } },
    { Permissions: {} },
  ])
    expect(() => intentionsOf({ api: [{ SourceName: "web", Action: "allow", ...odd }] }, "api"), JSON.stringify(odd)).toThrow(ConsulError);
});
