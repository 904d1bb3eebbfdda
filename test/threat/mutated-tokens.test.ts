import { Agent, request } from "node:http";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { jwt } from "../../src/authentication/jwt.ts";
import { issuerKey, sign } from "../authentication/keys.ts";
import { guarded } from "../server/inbound/served.ts";

/** The number of requests under way at a time. */
const lanes = 16;

it("T34: each of 10,000 tokens that were changed after decoding gets 401 before a handler sees it", async () => {
  const keys = ["EdDSA", "ES256", "RS256"].map((algorithm) => issuerKey(algorithm, algorithm));
  let handled = 0;
  const { port } = await guarded(
    { authentication: [jwt({ issuer: "https://issuer.test", audience: "orders", jwks: { keys: keys.map(({ jwk }) => jwk) } })] },
    (_request, response) => {
      handled++;
      response.end("ok");
    },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  onTestFinished(() => agent.destroy());
  const statusOf = (token: string) =>
    new Promise<number>((resolve, reject) => {
      request({ port, agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      })
        .once("error", reject)
        .end();
    });
  const originals = await Promise.all(keys.map((key) => sign(key)));
  const parts = originals.map((token) => token.split(".").map((part) => Buffer.from(part, "base64url")));
  const mutation = fc.record({
    token: fc.nat(originals.length - 1),
    part: fc.nat(2),
    at: fc.nat(),
    bits: fc.integer({ min: 1, max: 255 }),
    kind: fc.constantFrom("flip", "flip", "flip", "drop", "add", "cut", "of another"),
  });
  const mutated = new Set<string>();
  for (const { token, part, at: anywhere, bits, kind } of fc.sample(mutation, { seed: 16, numRuns: 20_000 })) {
    const changed = (parts[token] as Buffer[]).map((bytes) => [...bytes]);
    const bytes = changed[part] as number[];
    const at = anywhere % bytes.length;
    if (kind === "flip") bytes[at] = (bytes[at] as number) ^ bits;
    else if (kind === "drop") bytes.splice(at, 1);
    else if (kind === "add") bytes.splice(at, 0, bits);
    else if (kind === "cut") bytes.length = at;
    else changed[part] = [...((parts[(token + 1) % parts.length] as Buffer[])[part] as Buffer)];
    // Each decodes to other bytes than the original: what is written in another way alone has a test of its own.
    if (changed.every((each, index) => Buffer.from(each).equals((parts[token] as Buffer[])[index] as Buffer))) continue;
    mutated.add(changed.map((each) => Buffer.from(each).toString("base64url")).join("."));
    if (mutated.size === 10_000) break;
  }
  const statuses = new Map<number, number>();
  const queue = mutated.values();
  const lane = async () => {
    for (const token of queue) {
      const status = await statusOf(token);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  expect([...statuses]).toEqual([[401, 10_000]]);
  expect(handled).toBe(0);
  for (const token of originals) expect(await statusOf(token)).toBe(200);
}, 120_000);
