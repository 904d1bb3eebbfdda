import { describe, expect, test } from "vitest";
import { checkPolicy, parsePolicy } from "../../../src/authorization/text/read-policy.ts";

function faultOf(text: string): string {
  try {
    parsePolicy(text, "policy.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
}

const rule = (fields: string): string => `rules:\n  - id: a\n    action: allow\n${fields.replace(/^/gm, "    ")}\n`;

describe("parsePolicy", () => {
  test("reads YAML and JSON alike", () => {
    const yaml = "rules:\n  - { id: read, action: allow, to: { methods: [GET], paths: ['/orders/**'] } }\n";
    const json = '{"rules":[{"id":"read","action":"allow","to":{"methods":["GET"],"paths":["/orders/**"]}}]}';
    expect(parsePolicy(yaml)).toEqual(parsePolicy(json));
  });

  test.each([
    ["an unknown field", rule("frm:\n  identities: [a]"), "policy.yaml:4:5: rules[0].frm: there is no such field; did you mean from?"],
    ["one below", rule("to:\n  path: ['/a']"), "policy.yaml:5:7: rules[0].to.path: there is no such field; did you mean paths?"],
    ["one at the top", "rule: []\nrules: []", "policy.yaml:1:1: rule: there is no such field; did you mean rules?"],
    ["no rules", "dryRun: true", "policy.yaml:1:1: rules is missing"],
    [
      "an empty list",
      rule("from:\n  identities: []"),
      "policy.yaml:5:19: rules[0].from.identities: an empty list matches nothing; leave the field out to match all",
    ],
    ["an empty condition", rule("from: {}"), "policy.yaml:4:11: rules[0].from: it has no condition; leave it out to match all"],
    [
      "a method in lower case",
      rule("to:\n  methods: [GET, post]"),
      "policy.yaml:5:22: rules[0].to.methods[1]: methods are in capitals: POST",
    ],
    [
      "a dot segment",
      rule("to:\n  paths: [/a/../b]"),
      "policy.yaml:5:15: rules[0].to.paths[0]: no request has this path, as it would be refused: the path has a dot segment",
    ],
    [
      "a star in the middle",
      rule("to:\n  paths: [/a/*/b]"),
      "policy.yaml:5:15: rules[0].to.paths[0]: ** stands at the end, for all below: /orders/**; one segment is {name}",
    ],
    [
      "a SPIFFE id in capitals",
      rule("from:\n  identities: ['SPIFFE://example.org/a']"),
      "policy.yaml:5:20: rules[0].from.identities[0]: a SPIFFE id begins with spiffe:// in lower case",
    ],
    ["all trust domains", rule("from:\n  identities: ['spiffe://']"), "policy.yaml:5:20: rules[0].from.identities[0]: it is no SPIFFE id"],
    [
      "no network",
      rule("from:\n  addresses: [10.0.0.0/33]"),
      'policy.yaml:5:19: rules[0].from.addresses[0]: "10.0.0.0/33" is no address and no network such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      "two tests of one header",
      rule("to:\n  headers: [{ name: x, exact: a, prefix: b }]"),
      "policy.yaml:5:17: rules[0].to.headers[0]: it must have exactly one of exact, prefix, suffix, regex, present",
    ],
    [
      "a time without a zone",
      rule("when:\n  after: '2026-01-01T00:00:00'"),
      'policy.yaml:5:7: rules[0].when: after must be a moment such as 2027-01-31T08:00:00Z, not "2026-01-01T00:00:00"',
    ],
    [
      "an id twice",
      "rules:\n  - { id: a, action: allow }\n  - { id: a, action: deny }",
      "policy.yaml:3:11: rules[1].id: another rule has the id a",
    ],
    [
      "another action",
      "rules: [{ id: a, action: permit }]",
      'policy.yaml:1:26: rules[0].action: it must be one of allow, deny, audit, not "permit"',
    ],
    ["a key twice", "rules: []\nrules: []", "policy.yaml:2:1: Map keys must be unique"],
    [
      "an allowing rule of callers without an identity",
      rule("from:\n  notIdentities: [a]"),
      'policy.yaml:5:7: rules[0].from.notIdentities: a caller without an identity has none of these either; an allowing rule also says which ones: identities: ["*"]',
    ],
  ])("refuses %s, and says where it stands", (_, text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  test.each([
    ["an empty text", ""],
    ["no object", "[]"],
    ["half a file", '{"rules":[{"id":'],
    ["two documents", "rules: []\n---\nrules: []"],
    ["an unknown tag", "rules: !x []"],
    ["an expression with a look-ahead", rule("to:\n  paths: [{ regex: '(?=a)' }]")],
    ["an expression that never ends", rule("to:\n  paths: [{ regex: '(a' }]")],
    ["deep nesting", `rules: ${"[".repeat(5_000)}`],
    [
      "aliases of aliases",
      `a: &a [1,1]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*${i === 0 ? "a" : `b${i - 1}`}, *${i === 0 ? "a" : `b${i - 1}`}]`).join("\n")}\nrules: *b29`,
    ],
    ["a list of nothing", "rules:"],
  ])("refuses %s", (_, text) => {
    expect(faultOf(text)).toMatch(/^policy\.yaml/);
  });

  test("gives a copy that later changes of the object do not reach", () => {
    const given = { rules: [{ id: "a", action: "allow", to: { methods: ["GET"] } }] };
    const policy = checkPolicy(given);
    given.rules[0]?.to.methods.push("DELETE");
    expect(policy.rules[0]?.to?.methods).toEqual(["GET"]);
  });
});
