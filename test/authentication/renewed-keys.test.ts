import { describe, expect, it } from "vitest";
import { type JwtOptions, jwt, TokenRefused } from "../../src/authentication/jwt.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { issuerKey, sign } from "./keys.ts";

const url = "https://issuer.test/jwks";
const [one, two] = [issuerKey("one"), issuerKey("two")];

/** An issuer whose answer a test sets. */
function issuer(options: Partial<JwtOptions> = {}) {
  const clock = virtualClock();
  const state = { asked: 0, answer: (): Response => Response.json({ keys: [one.jwk] }), init: undefined as RequestInit | undefined };
  const ask = (async (_: unknown, init?: RequestInit) => {
    state.asked++;
    state.init = init;
    return state.answer();
  }) as typeof fetch;
  const provider = jwt({ issuer: "https://issuer.test", audience: "orders", jwks: { url }, fetch: ask, clock, ...options });
  const claims = () => {
    const now = Math.floor(clock.wallNow() / 1_000);
    return { iss: "https://issuer.test", aud: "orders", sub: "alice", exp: now + 80_000, iat: now };
  };
  return { clock, state, provider, claims };
}

const refused = expect.any(TokenRefused);

describe("the keys of an issuer", () => {
  it("are asked for once, however many tokens wait for them", async () => {
    const { state, provider, claims } = issuer();
    const token = await sign(one, claims());
    await Promise.all(Array.from({ length: 20 }, () => provider.verify(token)));
    expect(state.asked).toBe(1);
  });

  it("are not asked for by a flood of key ids that nothing knows: once in half a minute", async () => {
    const { clock, state, provider, claims } = issuer();
    await provider.verify(await sign(one, claims()));
    await clock.advance(31_000);
    for (let count = 0; count < 50; count++)
      await expect(provider.verify(await sign(two, claims(), { kid: `unknown-${count}` }))).rejects.toEqual(refused);
    expect(state.asked).toBe(2);
  });

  it("take in a new key when a token names it", async () => {
    const { clock, state, provider, claims } = issuer();
    await provider.verify(await sign(one, claims()));
    state.answer = () => Response.json({ keys: [one.jwk, two.jwk] });
    await clock.advance(31_000);
    expect(await provider.verify(await sign(two, claims()))).toMatchObject({ subject: "alice" });
  });

  it("serve on while the issuer is down, for a bounded time", async () => {
    const { clock, state, provider, claims } = issuer({ maxStaleMs: 3_600_000 });
    await provider.verify(await sign(one, claims()));
    state.answer = () => new Response("", { status: 503 });
    await clock.advance(1_800_000);
    expect(await provider.verify(await sign(one, claims()))).toMatchObject({ subject: "alice" });
    await clock.advance(1_900_000);
    await expect(provider.verify(await sign(one, claims()))).rejects.toThrow("the keys of the issuer cannot be had");
  });

  it("take their tokens with them when they go, also the remembered ones", async () => {
    const { clock, state, provider, claims } = issuer({ refreshMs: 5_000 });
    const token = await sign(one, claims());
    await provider.verify(token);
    expect(provider.verify(token)).not.toBeInstanceOf(Promise);
    state.answer = () => Response.json({ keys: [two.jwk] });
    await clock.advance(6_000);
    // The question goes out in the background, for the token that comes first.
    await provider.verify(token);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(provider.verify(token)).rejects.toEqual(refused);
  });

  it("come from no redirect, from no large answer, and without credentials over plain HTTP from nowhere", async () => {
    const { clock, state, provider, claims } = issuer();
    const token = await sign(one, claims());
    const cannot = "the keys of the issuer cannot be had";
    state.answer = () => new Response("", { status: 302, headers: { location: "https://evil.test/" } });
    await expect(provider.verify(token)).rejects.toThrow(cannot);
    expect(state.init?.redirect).toBe("manual");
    await clock.advance(2_000);
    state.answer = () => new Response(`{"keys":[],"pad":"${"x".repeat(300_000)}"}`);
    await expect(provider.verify(token)).rejects.toThrow(cannot);
    for (const wrong of ["http://issuer.test/jwks", "https://user:secret@issuer.test/", "file:///etc/passwd", "jwks"]) {
      expect(() => issuer({ jwks: { url: wrong } })).toThrow("jwt.jwks.url must be an https: URL");
      expect(() => issuer({ jwks: { url: wrong } })).not.toThrow("secret");
    }
  });
});

describe("a verified token", () => {
  it("is remembered for a minute, and not beyond its end", async () => {
    const { clock, provider, claims } = issuer();
    const token = await sign(one, claims());
    const verified = await provider.verify(token);
    expect(provider.verify(token)).toBe(verified);
    await clock.advance(60_000);
    expect(provider.verify(token)).toBeInstanceOf(Promise);
    const short = await sign(one, { ...claims(), exp: Math.floor(clock.wallNow() / 1_000) + 5 });
    await provider.verify(short);
    await clock.advance(36_000);
    await expect(provider.verify(short)).rejects.toThrow("it has expired");
  });

  it("cannot be changed by who reads it", async () => {
    const { provider, claims } = issuer();
    const { claims: read } = await provider.verify(await sign(one, { ...claims(), roles: ["reader"] }));
    expect(() => (read["roles"] as string[]).push("admin")).toThrow(TypeError);
  });
});
