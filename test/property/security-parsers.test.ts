import fc from "fast-check";
import { expect, it } from "vitest";
import { readCompact } from "../../src/authentication/compact-token.ts";
import { KeySet, parseKeySet } from "../../src/authentication/key-set.ts";
import { TokenRefused } from "../../src/authentication/token-verifier.ts";
import { publicAlgorithms } from "../../src/authentication/verification-key.ts";
import { CompiledPolicy } from "../../src/authorization/compiled-policy.ts";
import { pathOfTarget, pathProblem } from "../../src/authorization/conditions/strict-path.ts";
import { PolicyError } from "../../src/authorization/text/policy-error.ts";
import { checkPolicy, parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { AddressList } from "../../src/core/peers/address-list.ts";
import { parseSpiffeId } from "../../src/core/peers/spiffe-id.ts";
import { compilePermission } from "../../src/registries/consul/connect/intentions/compiled-permission.ts";
import { intentionsOf } from "../../src/registries/consul/connect/intentions/read-intentions.ts";
import { ConsulError } from "../../src/registries/consul/http/consul-error.ts";
import { identityOfClientCert, identityOfXfcc } from "../../src/server/inbound/proxies/forwarded-identity.ts";
import { lastXfccElement } from "../../src/server/inbound/proxies/xfcc.ts";

/** The same inputs in each run. */
const seed = 16;
/** A parser must not hold the process: on an idle machine each takes less than 50 ms at its bound, and this one is busy. */
const maxMs = 2_000;

/** Runs a parser, which may throw its own error alone; the result, or `undefined`. */
function read<Result>(parse: () => Result, ownError?: abstract new (...args: never[]) => Error): Result | undefined {
  const startedAt = performance.now();
  try {
    return parse();
  } catch (error) {
    if (ownError === undefined) throw error;
    expect(error).toBeInstanceOf(ownError);
    return undefined;
  } finally {
    expect(performance.now() - startedAt).toBeLessThan(maxMs);
  }
}

const bits = (pieces: readonly string[], maxLength: number) =>
  fc
    .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 3, unit: "binary" })), { maxLength })
    .map((all) => all.join(""));

it("SPIFFE ids: what is read is what was written, and a second reader takes it for the same", () => {
  const pieces = [
    "spiffe://",
    "td",
    "example.org",
    "/",
    "a",
    "..",
    ".",
    "%2e",
    "A",
    ":",
    "@",
    "?",
    "#",
    "\\",
    "_",
    "-",
    "0",
    "SPIFFE:",
    "//",
  ];
  fc.assert(
    fc.property(
      fc.oneof(
        bits(pieces, 8),
        bits(pieces, 6).map((text) => `spiffe://${text}`),
      ),
      (text) => {
        const id = read(() => parseSpiffeId(text));
        if (id === undefined) return;
        expect([id.text, `spiffe://${id.trustDomain}${id.path}`]).toEqual([text, text]);
        const url = new URL(text);
        expect([url.protocol, url.host, url.pathname, url.href]).toEqual(["spiffe:", id.trustDomain, id.path, text]);
      },
    ),
    { seed, numRuns: 10_000 },
  );
  expect(read(() => parseSpiffeId(`spiffe://td/${"a/".repeat(1_000_000)}`))).toBeUndefined();
});

it("x-forwarded-client-cert: never an error, and what a proxy appends is what is read", () => {
  const pieces = [
    "URI=",
    "By=",
    "Hash=",
    "DNS=",
    "Subject=",
    '"',
    "\\",
    ",",
    ";",
    "=",
    "spiffe://td/web",
    "spiffe://td/admin",
    " ",
    "a",
    "\t",
  ];
  fc.assert(
    fc.property(bits(pieces, 14), (text) => {
      read(() => identityOfXfcc(text));
      if (read(() => lastXfccElement(text)) === undefined) return;
      expect(identityOfXfcc(`${text},URI=spiffe://td/last`)).toBe("spiffe://td/last");
    }),
    { seed, numRuns: 20_000 },
  );
  for (const piece of ['"', "a=", 'a="', "\\", ",", ";", 'a="\\"'])
    expect(read(() => identityOfXfcc(piece.repeat(16_384 / piece.length)))).toBeUndefined();
});

it("Client-Cert: never an error, and no identity of what is no certificate", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        bits([":", "MIIB", "=", " ", "A", "/", "+", "-", "_"], 20),
        fc.uint8Array({ maxLength: 300 }).map((bytes) => `:${Buffer.from(bytes).toString("base64")}:`),
      ),
      (text) => {
        expect(read(() => identityOfClientCert(text))).toBeUndefined();
      },
    ),
    { seed, numRuns: 5_000 },
  );
  expect(read(() => identityOfClientCert(`:${"A".repeat(16_380)}:`))).toBeUndefined();
});

const anyJson = fc.jsonValue({ maxDepth: 4 });
const encoded = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

it("tokens: their own error alone, and a token that is read is written as it was", () => {
  const headers = fc.oneof(
    anyJson,
    fc.record({ alg: fc.string({ maxLength: 5 }), kid: fc.string({ maxLength: 5 }) }),
    fc.record(
      { alg: fc.oneof(fc.constantFrom("none", "RS256", "HS256"), anyJson), kid: anyJson, typ: anyJson, crit: anyJson },
      { requiredKeys: [] },
    ),
    bits(["{", "}", '"alg"', ":", '"RS256"', ",", '"kid"', "[", "]", "\\u0061", "1e999", "null"], 14),
  );
  let accepted = 0;
  fc.assert(
    fc.property(
      headers,
      fc.oneof(anyJson, fc.object({ maxDepth: 2 }), fc.constant({ iss: "a" })),
      fc.string({ minLength: 1 }),
      (header, payload, signature) => {
        const text = `${encoded(header)}.${encoded(payload)}.${encoded(signature)}`;
        const token = read(() => readCompact(text), TokenRefused);
        if (token === undefined) return;
        accepted++;
        const parts = text.split(".").map((part) => Buffer.from(part, "base64url").toString("base64url"));
        expect(parts.join(".")).toBe(text);
        expect(typeof token.algorithm).toBe("string");
        for (const name of ["crit", "b64", "zip", "enc"]) expect(Object.hasOwn(token.header, name)).toBe(false);
      },
    ),
    { seed, numRuns: 10_000 },
  );
  expect(accepted).toBeGreaterThan(20);
  for (const text of [".".repeat(8_000), `${"a".repeat(8_000)}..`, `${encoded("[".repeat(3_000))}.${encoded('{"":'.repeat(700))}.AA`])
    expect(read(() => readCompact(text), TokenRefused)).toBeUndefined();
});

it("key sets: an error that quotes nothing, and keys for signatures alone", () => {
  const key = fc.record(
    {
      kty: fc.constantFrom("RSA", "EC", "OKP", "oct", 1, null),
      crv: fc.constantFrom("P-256", "Ed25519", "x", {}),
      n: anyJson,
      e: anyJson,
      x: anyJson,
      y: anyJson,
      k: anyJson,
      kid: anyJson,
      alg: anyJson,
      use: anyJson,
      key_ops: anyJson,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(anyJson, fc.record({ keys: fc.oneof(anyJson, fc.array(fc.oneof(key, anyJson))) })), (value) => {
      const keys = read(() => parseKeySet(JSON.stringify(value)), Error);
      if (keys === undefined) return;
      const set = new KeySet(publicAlgorithms);
      read(() => set.replace(keys));
      for (const each of set.keys) expect(each.key.type).toBe("public");
    }),
    { seed, numRuns: 5_000 },
  );
  expect(() => parseKeySet('{"keys":"geheim"}')).toThrow(/^it has no array `keys`$/);
  expect(() => parseKeySet("geheim")).toThrow(/^it is not JSON$/);
});

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
