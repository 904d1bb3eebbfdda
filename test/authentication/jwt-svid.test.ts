import { describe, expect, it } from "vitest";
import { jwtSvid } from "../../src/authentication/jwt.ts";
import type { PublicJwk } from "../../src/authentication/verification-key.ts";
import { honestClaims, issuerKey, sign } from "./keys.ts";

const [key, foreign, rsa] = [issuerKey("a"), issuerKey("b"), issuerKey("c", "PS256")];
const svid = (jwk: PublicJwk): PublicJwk => ({ ...jwk, use: "jwt-svid" });
const id = "spiffe://example.org/web";
const claims = (more: object = {}) => ({ ...honestClaims(), iss: undefined, sub: id, ...more });

function provider(
  domains = new Map([
    ["example.org", [svid(key.jwk), svid(rsa.jwk)]],
    ["other.org", [svid(foreign.jwk)]],
  ]),
) {
  return { domains, ...jwtSvid({ bundles: { keysOf: (domain) => domains.get(domain) }, audience: "orders" }) };
}

describe("JWT-SVIDs", () => {
  it("hold by the keys of the trust domain of their subject", async () => {
    for (const each of [key, rsa]) {
      const token = await sign(each, claims());
      expect(provider().isFor(token)).toBe(true);
      expect(await provider().verify(token)).toMatchObject({ provider: "jwt-svid", subject: id });
    }
  });

  it("are refused where a key of another domain has signed them, or a key that is not for them", async () => {
    await expect(provider().verify(await sign(foreign, claims()))).rejects.toThrow("its issuer has no such key");
    const notFor = new Map([["example.org", [key.jwk]]]);
    await expect(provider(notFor).verify(await sign(key, claims()))).rejects.toThrow("its issuer has no such key");
    await expect(provider().verify(await sign(key, claims({ sub: "spiffe://evil.org/web" })))).rejects.toThrow(
      "its trust domain is not trusted",
    );
  });

  it("are refused where their subject is the id of the trust domain itself, which no workload has", async () => {
    await expect(provider().verify(await sign(key, claims({ sub: "spiffe://example.org" })))).rejects.toThrow(
      "its subject is the id of a trust domain, and of no workload",
    );
  });

  it("are refused with more in the header, another type, no audience, no end, or a subject that is no SPIFFE id", async () => {
    await expect(provider().verify(await sign(key, claims(), { jku: "https://evil.test" }))).rejects.toThrow("more than alg, kid and typ");
    await expect(provider().verify(await sign(key, claims(), { typ: "at+jwt" }))).rejects.toThrow("another type");
    await expect(provider().verify(await sign(key, claims({ aud: undefined })))).rejects.toThrow("another audience");
    await expect(provider().verify(await sign(key, claims({ exp: undefined })))).rejects.toThrow("no date of its end");
    for (const sub of ["alice", "spiffe://example.org/a/../b", "SPIFFE://example.org/web", undefined])
      await expect(provider().verify(await sign(key, claims({ sub })))).rejects.toThrow("its subject is not a SPIFFE id");
  });

  it("are forgotten when the bundle loses their key, or the domain is not trusted any more", async () => {
    const one = provider();
    const token = await sign(key, claims());
    await one.verify(token);
    expect(one.verify(token)).not.toBeInstanceOf(Promise);
    one.domains.set("example.org", [svid(rsa.jwk)]);
    await expect(one.verify(token)).rejects.toThrow("its issuer has no such key");
    const other = await sign(foreign, claims({ sub: "spiffe://other.org/x" }));
    await one.verify(other);
    one.domains.delete("other.org");
    await expect(one.verify(other)).rejects.toThrow("its trust domain is not trusted");
  });
});
