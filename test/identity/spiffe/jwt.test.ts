import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { jwtSvid } from "../../../src/authentication/jwt.ts";
import { fetchJwtSvid, jwtBundles } from "../../../src/identity/spiffe/spiffe.ts";
import { honestClaims, issuerKey, sign } from "../../authentication/keys.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { until } from "../../support/until.ts";
import { WorkloadAgent } from "../../support/workload-agent.ts";

const id = "spiffe://example.org/shop/orders";
const audience = "spiffe://example.org/shop/payments";
const folder = mkdtempSync(join(tmpdir(), "wlj-"));
const inAnHour = Math.floor(Date.now() / 1_000) + 3_600;
let agent: WorkloadAgent;
let count = 0;

beforeEach(async () => {
  agent = new WorkloadAgent(join(folder, `${count++}.sock`));
  await agent.start();
});
afterEach(() => agent.stop());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256", kid: "1" })}.${part(claims)}.c2lnbmF0dXJl`;
}

const good = { sub: id, aud: [audience], exp: inAnHour };

describe("a JWT-SVID", () => {
  it("is fetched for one audience, with its end", async () => {
    const token = jwt(good);
    agent.jwtAnswer = { svids: [{ spiffeId: id, svid: token }] };
    expect(await fetchJwtSvid({ socket: agent.socket, audience })()).toEqual({ token, expiresAtMs: inAnHour * 1_000 });
    expect(agent.jwtRequests[0]).toMatchObject({ audience: [audience], spiffeId: "" });
  });

  it("is that of the id that was asked for", async () => {
    const other = "spiffe://example.org/shop/admin";
    const token = jwt({ ...good, sub: other });
    agent.jwtAnswer = {
      svids: [
        { spiffeId: id, svid: jwt(good) },
        { spiffeId: other, svid: token },
      ],
    };
    expect((await fetchJwtSvid({ socket: agent.socket, audience, id: other })()).token).toBe(token);
    expect(agent.jwtRequests[0]?.spiffeId).toBe(other);
  });

  it.each<[string, string, RegExp]>([
    ["of another id", jwt({ ...good, sub: "spiffe://example.org/shop/admin" }), /not one of the id/],
    ["for another audience", jwt({ ...good, aud: ["spiffe://example.org/x"] }), /not for that audience/],
    ["that has ended", jwt({ ...good, exp: 1_000 }), /has ended/],
    ["without an end", jwt({ sub: id, aud: audience }), /names no end/],
    ["that is no JWT", "secret-text", /no signed JWT/],
    ["without a signature", `${jwt(good).split(".").slice(0, 2).join(".")}.`, /no signed JWT/],
  ])("%s is refused, and stands in no message", async (_what, svid, text) => {
    agent.jwtAnswer = { svids: [{ spiffeId: id, svid }] };
    const error = (await rejectionOf(fetchJwtSvid({ socket: agent.socket, audience })())) as Error;
    expect(error.message).toMatch(text);
    expect(error.message).not.toContain(svid);
  });

  it("that the agent refuses, has not, or does not answer for is an error within the limit", async () => {
    const provider = fetchJwtSvid({ socket: agent.socket, audience, timeoutMs: 300 });
    expect(((await rejectionOf(provider())) as Error).message).toMatch(/the answer has no token/);
    agent.refusal = { code: status.PERMISSION_DENIED, details: "no identity issued" };
    expect(((await rejectionOf(provider())) as Error).message).toMatch(/PERMISSION_DENIED: no identity issued/);
    agent.refusal = undefined;
    agent.isSilent = true;
    expect(((await rejectionOf(provider())) as Error).message).toMatch(/DEADLINE_EXCEEDED/);
  });

  it("needs an audience", () => {
    expect(() => fetchJwtSvid({ socket: agent.socket } as never)).toThrow(/fetchJwtSvid.audience must be a string/);
    expect(() => fetchJwtSvid({ socket: agent.socket, audience, id: "orders" })).toThrow(/fetchJwtSvid.id must be a SPIFFE id/);
  });
});

describe("the JWT bundles", () => {
  it("come by trust domain, whole each time; a wrong message replaces nothing; a refusal withdraws them", async () => {
    const failures: string[] = [];
    const key = (kid: string, use = "jwt-svid") => JSON.stringify({ kty: "EC", kid, use });
    agent.giveJwtBundles({
      "spiffe://example.org": `{"keys":[${key("1")},${key("2", "x509-svid")}]}`,
      "spiffe://partner.example": `{"keys":[${key("3")}]}`,
    });
    const bundles = jwtBundles({
      socket: agent.socket,
      onFailure: ({ message }) => {
        failures.push(message);
        throw new Error("a mistake of the listener");
      },
    });
    try {
      expect(bundles.keysOf("example.org")).toBeUndefined();
      const keys = await until("the first bundles", () => bundles.keysOf("example.org") ?? false);
      expect(keys.map(({ kid }) => kid)).toEqual(["1"]);
      expect(bundles.keysOf("partner.example")).toHaveLength(1);
      agent.giveJwtBundles({ "spiffe://example.org": "[]" });
      await until("the refusal", () => failures.length === 1);
      expect(failures[0]).toContain("the JWT bundle of spiffe://example.org is no JWKS");
      expect(bundles.keysOf("example.org")).toBe(keys);
      agent.giveJwtBundles({ "spiffe://example.org": `{"keys":[${key("4")}]}` });
      await until("the next bundles", () => bundles.keysOf("partner.example") === undefined);
      expect(bundles.keysOf("example.org")?.map(({ kid }) => kid)).toEqual(["4"]);
      agent.refusal = { code: status.PERMISSION_DENIED, details: "no identity issued" };
      agent.end(status.PERMISSION_DENIED, "no identity issued");
      await until("the withdrawal", () => bundles.keysOf("example.org") === undefined);
    } finally {
      bundles.close();
    }
  });

  it("verify the JWT-SVIDs of their trust domain, and none any more once the agent has withdrawn it", async () => {
    const key = issuerKey("a");
    agent.giveJwtBundles({ "spiffe://example.org": JSON.stringify({ keys: [{ ...key.jwk, use: "jwt-svid" }] }) });
    const bundles = jwtBundles({ socket: agent.socket });
    try {
      await until("the first bundles", () => bundles.keysOf("example.org") ?? false);
      const provider = jwtSvid({ bundles, audience });
      const token = await sign(key, { ...honestClaims(), iss: undefined, sub: id, aud: audience });
      expect(await provider.verify(token)).toMatchObject({ subject: id });
      const stranger = await sign(issuerKey("a"), { ...honestClaims(), iss: undefined, sub: id, aud: audience });
      expect(await rejectionOf(Promise.resolve(provider.verify(stranger)))).toMatchObject({ name: "TokenRefused" });
      agent.giveJwtBundles({});
      await until("the withdrawal", () => bundles.keysOf("example.org") === undefined);
      expect(await rejectionOf(Promise.resolve(provider.verify(token)))).toMatchObject({ name: "TokenRefused" });
    } finally {
      bundles.close();
    }
  });
});
