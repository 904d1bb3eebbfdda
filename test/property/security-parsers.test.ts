import fc from "fast-check";
import { expect, it } from "vitest";
import { readCompact } from "../../src/authentication/compact-token.ts";
import { KeySet, parseKeySet } from "../../src/authentication/key-set.ts";
import { TokenRefused } from "../../src/authentication/token-verifier.ts";
import { publicAlgorithms } from "../../src/authentication/verification-key.ts";
import { parseSpiffeId } from "../../src/core/peers/spiffe-id.ts";
import { identityOfClientCert, identityOfXfcc } from "../../src/server/inbound/proxies/forwarded-identity.ts";
import { lastXfccElement } from "../../src/server/inbound/proxies/xfcc.ts";
import { anyJson, bits, read, seed } from "./hostile-inputs.ts";

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
