import { createHmac, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type JwtOptions, jwt, TokenRefused } from "../../src/authentication/jwt.ts";
import type { PublicJwk } from "../../src/authentication/verification-key.ts";
import { encoded, honestClaims, issuerKey, sign } from "../authentication/keys.ts";

const key = issuerKey("one");
const rsa = issuerKey("rsa", "RS256");
const other = issuerKey("one");
const base = { issuer: "https://issuer.test", audience: "orders", jwks: { keys: [key.jwk, rsa.jwk] } } satisfies JwtOptions;
const now = () => Math.floor(Date.now() / 1_000);

async function outcome(token: string, options: Partial<JwtOptions> = {}): Promise<string> {
  try {
    return (await jwt({ ...base, ...options }).verify(token)).subject ?? "nobody";
  } catch (error) {
    expect(error).toBeInstanceOf(TokenRefused);
    // No part of the token is told.
    for (const part of token.split(".")) if (part.length > 20) expect((error as Error).message).not.toContain(part);
    return (error as Error).message;
  }
}

/** A token whose header is not the one of its signature, as for attacks that never come to the signature. */
const forged = (header: object, claims: object = honestClaims()) => `${encoded(header)}.${encoded(claims)}.${encoded("signature")}`;

describe("T34: the header of a token decides nothing", () => {
  it("lets the honest token pass, by each key", async () => {
    expect(await outcome(await sign(key))).toBe("alice");
    expect(await outcome(await sign(rsa))).toBe("alice");
  });

  it("refuses a token without a signature", async () => {
    const [header, payload] = [encoded({ alg: "none" }), encoded(honestClaims())];
    expect(await outcome(`${header}.${payload}.`)).toBe("a part of it is not canonical base64url");
    for (const alg of ["none", "None", "nOnE"])
      expect(await outcome(forged({ alg, kid: "one" }))).toBe("its issuer has no such key for its algorithm");
  });

  it("refuses a token that was signed with a public key as a shared secret", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const jwk = { ...publicKey.export({ format: "jwk" }), kid: "rsa" } as PublicJwk;
    const signed = `${encoded({ alg: "HS256", kid: "rsa" })}.${encoded(honestClaims())}`;
    for (const secret of [pem, pem.trim(), publicKey.export({ type: "spki", format: "der" }), JSON.stringify(jwk)]) {
      const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
      expect(await outcome(token, { jwks: { keys: [jwk] } })).toBe("its issuer has no such key for its algorithm");
    }
  });

  it("refuses the algorithm of another key of the issuer, and one that the key is not for", async () => {
    expect(await outcome(forged({ alg: "PS256", kid: "rsa" }))).toBe("its issuer has no such key for its algorithm");
    expect(await outcome(forged({ alg: "RS256", kid: "one" }))).toBe("its issuer has no such key for its algorithm");
    expect(await outcome(await sign(rsa), { algorithms: ["ES256"] })).toBe("its issuer has no such key for its algorithm");
  });

  it("looks a key id up among the keys of the options, whatever is in it", async () => {
    for (const kid of ["../../../dev/null", "' OR 1=1 --", "https://evil.test/jwks", "__proto__", "constructor", ""])
      expect(await outcome(await sign(key, undefined, { kid }))).toBe("its issuer has no such key for its algorithm");
    expect(await outcome(forged({ alg: "ES256", kid: { toString: "one" } }))).toBe("its key id is not a short text");
    expect(await outcome(forged({ alg: "ES256", kid: "k".repeat(513) }))).toBe("its key id is not a short text");
  });

  it("uses no key and asks no address that the token brings along", async () => {
    const asked: unknown[] = [];
    const ask = (async (url: unknown) => {
      asked.push(url);
      return new Response("{}");
    }) as typeof fetch;
    const brought = { jwk: other.jwk, jku: "https://evil.test/jwks", x5u: "https://evil.test/x5u", x5c: ["MIIB"] };
    expect(await outcome(await sign(other, undefined, brought), { fetch: ask })).toBe("its signature does not hold");
    expect(asked).toEqual([]);
    // And the headers do the honest token no harm.
    expect(await outcome(await sign(key, undefined, brought))).toBe("alice");
  });

  it("refuses extensions: crit, b64, zip", async () => {
    expect(await outcome(forged({ alg: "ES256", kid: "one", crit: ["exp"] }))).toBe('its header has "crit", which is not supported');
    expect(await outcome(forged({ alg: "ES256", kid: "one", b64: false }))).toBe('its header has "b64", which is not supported');
    expect(await outcome(forged({ alg: "ES256", kid: "one", zip: "DEF" }))).toBe('its header has "zip", which is not supported');
  });
});

describe("T35: each claim that bounds a token is needed", () => {
  const claims: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["no end", { exp: undefined }, "it has no date of its end"],
    ["an end that is a text", { exp: "99999999999" }, "it has no date of its end"],
    ["an end that has passed", { exp: now() - 31 }, "it has expired"],
    ["an end that is too far", { exp: now() + 90_000 }, "it holds longer than is allowed"],
    ["a beginning that has not come", { nbf: now() + 60 }, "it does not hold yet"],
    ["a beginning that is no date", { nbf: "0" }, "it does not hold yet"],
    ["a date of issue in the future", { iat: now() + 60 }, "it was issued in the future"],
    ["another audience", { aud: "payments" }, "it is for another audience"],
    ["no audience", { aud: undefined }, "it is for another audience"],
    ["an audience that contains the name", { aud: "orders-admin" }, "it is for another audience"],
    ["an audience with what is no text", { aud: ["orders", { name: "x" }] }, "it is for another audience"],
    ["another issuer", { iss: "https://issuer.test/" }, "it is of another issuer"],
    ["no issuer", { iss: undefined }, "it is of another issuer"],
    ["a subject that is no text", { sub: ["alice"] }, "its subject is not a text"],
  ];
  it.each(claims)("refuses %s", async (_, changed, why) => {
    expect(await outcome(await sign(key, { ...honestClaims(), ...changed }))).toBe(why);
  });

  it("allows for clocks that differ by half a minute, and for one audience of several", async () => {
    expect(await outcome(await sign(key, { ...honestClaims(), exp: now() - 20 }))).toBe("alice");
    expect(await outcome(await sign(key, { ...honestClaims(), nbf: now() + 20 }))).toBe("alice");
    expect(await outcome(await sign(key, { ...honestClaims(), aud: ["x", "orders"] }))).toBe("alice");
  });

  it("refuses a token of another kind", async () => {
    expect(await outcome(await sign(key, undefined, { typ: "logout+jwt" }))).toBe("it is of another type");
    expect(await outcome(await sign(key, undefined, { typ: "JWT" }), { type: "at+jwt" })).toBe("it is of another type");
    expect(await outcome(await sign(key), { type: "at+jwt" })).toBe("it is of another type");
    expect(await outcome(await sign(key, undefined, { typ: "application/at+JWT" }), { type: "at+jwt" })).toBe("alice");
  });

  it("refuses a name that stands twice, in the claims, the header and below, escaped or not", async () => {
    const text = JSON.stringify(honestClaims());
    for (const more of ['"sub":"mallory"', '"s\\u0075b":"mallory"', '"x":{"a":1,"a":2}', '"x":[{"a":1,"a":2}]'])
      expect(await outcome(await sign(key, `${text.slice(0, -1)},${more}}`))).toBe("the payload has a name twice");
    const header = encoded('{"alg":"ES256","kid":"one","alg":"none"}');
    expect(await outcome(`${header}.${encoded(honestClaims())}.AAAA`)).toBe("the header has a name twice");
    expect(await outcome(await sign(key, `${text.slice(0, -1)},"x":{"sub":"a","y":"\\"sub\\":"}}`))).toBe("alice");
  });

  it("refuses what is too long, too deep, not UTF-8, or no object", async () => {
    expect(await outcome(await sign(key, { ...honestClaims(), pad: "x".repeat(7_000) }))).toBe("it has more than 8192 bytes");
    expect(await outcome("a".repeat(1_000_000))).toBe("it has more than 8192 bytes");
    const deep = `${JSON.stringify(honestClaims()).slice(0, -1)},"x":${"[".repeat(40)}${"]".repeat(40)}}`;
    expect(await outcome(await sign(key, deep))).toBe("the payload is deeper than 16 levels");
    expect(await outcome(await sign(key, "[]"))).toBe("the payload is not an object");
    expect(await outcome(`${encoded({ alg: "ES256" })}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.AAAA`)).toBe(
      "the payload is not JSON",
    );
  });

  it("refuses an encrypted token, and other forms than the compact one", async () => {
    expect(await outcome(`${encoded({ alg: "dir", enc: "A256GCM", zip: "DEF" })}..AAAA.AAAA.AAAA`)).toBe(
      "it does not have the three parts of a signed token",
    );
    expect(await outcome('{"payload":"x","signatures":[]}')).toBe("it does not have the three parts of a signed token");
  });
});

describe("T34: a token", () => {
  it("is refused where it decodes to the same bytes, but is not written as an encoder writes it", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const token = await sign(key);
    // 64 bytes of a signature are 86 letters, whose last one has four bits to spare.
    const last = alphabet.indexOf(token.at(-1) ?? "");
    for (const text of [
      `${token}=`,
      `${token}==`,
      `${token} `,
      `${token}\n`,
      `${token.slice(0, -1)}${alphabet[last + 1]}`,
      token.replace(".", ". "),
      token.replaceAll("-", "+").replaceAll("_", "/").replace(/.$/, "$&="),
    ])
      expect(await outcome(text)).toBe("a part of it is not canonical base64url");
  });
});
