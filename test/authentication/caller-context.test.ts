import { describe, expect, it } from "vitest";
import { callerContext, callerContexts } from "../../src/authentication/jwt.ts";
import type { Caller } from "../../src/core/peers/caller.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { honestClaims, issuerKey, sign } from "./keys.ts";

const [orders, mallory] = [issuerKey("orders"), issuerKey("mallory", "EdDSA")];
const alice: Caller = {
  identity: "spiffe://example.org/web",
  address: undefined,
  tokens: [{ provider: "users", issuer: "https://issuer.test", subject: "alice", claims: {} }],
};

function pair() {
  const clock = virtualClock();
  const context = callerContext({ issuer: "orders", key: orders.privateKey, clock });
  const receiver = (audience: string) => callerContexts({ issuers: { orders: [orders.jwk] }, audience, clock });
  const stated = async (caller: Caller = alice) =>
    (await context.headers(caller, { audience: "payments", claims: { role: "buyer" } }))["x-caller-context"] ?? "";
  return { clock, receiver, stated };
}

describe("a statement about a caller", () => {
  it("tells the next service who speaks, and of whom", async () => {
    const { receiver, stated } = pair();
    const token = await receiver("payments").verify(await stated());
    expect(token).toMatchObject({ provider: "caller-context", issuer: "orders", subject: "alice" });
    expect(token.claims).toMatchObject({ hops: ["orders"], claims: { role: "buyer" } });
  });

  it("T47: is of no use at another service, after its seconds, or from a service that is not believed", async () => {
    const { clock, receiver, stated } = pair();
    const token = await stated();
    await expect(receiver("ledger").verify(token)).rejects.toThrow("it is for another audience");
    await clock.advance(41_000);
    await expect(receiver("payments").verify(token)).rejects.toThrow("it has expired");
    const { receiver: fresh } = pair();
    const forged = callerContext({ issuer: "mallory", key: mallory.privateKey, clock: virtualClock() });
    const lie = (await forged.headers(alice, { audience: "payments" }))["x-caller-context"] ?? "";
    await expect(fresh("payments").verify(lie)).rejects.toThrow("it is of another issuer");
    const borrowed = callerContext({ issuer: "orders", key: mallory.privateKey, clock: virtualClock() });
    const stolen = (await borrowed.headers(alice, { audience: "payments" }))["x-caller-context"] ?? "";
    await expect(fresh("payments").verify(stolen)).rejects.toThrow("no such key");
  });

  it("is not a token of a user, nor the reverse", async () => {
    const { receiver } = pair();
    const token = await sign(orders, { ...honestClaims(), iss: "orders", aud: "payments" });
    await expect(receiver("payments").verify(token)).rejects.toThrow("it is of another type");
  });

  it("keeps the first caller over several hops, and ends after eight", async () => {
    const { receiver, stated } = pair();
    let caller = alice;
    for (let hop = 1; hop <= 8; hop++) {
      const token = await receiver("payments").verify(await stated(caller));
      expect(token.claims["hops"]).toHaveLength(hop);
      expect(token.subject).toBe("alice");
      caller = { identity: "spiffe://example.org/orders", address: undefined, tokens: [token] };
    }
    await expect(stated(caller)).rejects.toThrow("the caller was passed on 8 times");
  });

  it("is not made of a caller of whom nothing is verified, nor with a key that is none, of which nothing is shown", async () => {
    const { stated } = pair();
    await expect(stated({ identity: undefined, address: "10.0.0.1", tokens: [] })).rejects.toThrow("nothing is verified of the caller");
    expect(() => callerContext({ issuer: "orders", key: "-----BEGIN PRIVATE KEY-----\nsecret" })).toThrow(
      /^callerContext: key must be a private key of P-256 or Ed25519$/,
    );
  });
});
