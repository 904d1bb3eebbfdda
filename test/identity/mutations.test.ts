import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSpiffeId } from "../../src/core/peers/spiffe-id.ts";
import { PeerRefused } from "../../src/identity/peer-refused.ts";
import { trustStore } from "../../src/identity/trust-store.ts";
import { verifyPeer } from "../../src/identity/verify-peer.ts";
import { Authority } from "../support/odd-authority.ts";

test("each of 2,000 mutated certificates that are still certificates is refused", async () => {
  const authority = await Authority.create();
  const id = "spiffe://example.org/svc/orders";
  const { cert } = await authority.issue({ uris: [id], dnsNames: ["orders.test"] });
  const trust = trustStore({ authorities: [], bundles: new Map([["example.org", [authority.cert]]]) });
  const judge = (certificate: X509Certificate) => verifyPeer(trust, certificate, [], { ids: [id] }, Date.now());
  const original = new X509Certificate(cert);
  expect(judge(original).id?.text).toBe(id);
  const counts = { refused: 0, "no certificate": 0, "the same certificate": 0 };
  const mutation = fc.record({
    at: fc.nat(original.raw.length - 1),
    bits: fc.integer({ min: 1, max: 255 }),
    kind: fc.constantFrom("flip", "flip", "flip", "drop", "add", "swap"),
  });
  for (const { at, bits, kind } of fc.sample(mutation, { seed: 16, numRuns: 6_000 })) {
    const bytes = [...original.raw];
    if (kind === "flip") bytes[at] = (bytes[at] as number) ^ bits;
    else if (kind === "drop") bytes.splice(at, 1);
    else if (kind === "add") bytes.splice(at, 0, bits);
    else bytes.splice(at, 2, ...bytes.slice(at, at + 2).reverse());
    let mutated: X509Certificate;
    try {
      mutated = new X509Certificate(Uint8Array.from(bytes));
    } catch {
      counts["no certificate"]++;
      continue;
    }
    // Two equal bytes that were swapped, and a byte behind the end, which the parser leaves alone.
    if (mutated.raw.equals(original.raw)) counts["the same certificate"]++;
    else {
      expect(() => judge(mutated)).toThrow(PeerRefused);
      counts.refused++;
    }
  }
  expect(counts.refused).toBeGreaterThanOrEqual(2_000);
  expect(counts["the same certificate"]).toBeLessThan(50);
  expect(counts.refused + counts["no certificate"] + counts["the same certificate"]).toBe(6_000);
}, 60_000);

test("a SPIFFE id that is read is written as it was, and what a URL parser makes of it is the same id", () => {
  const piece = fc.constantFrom(
    "spiffe://",
    "example.org",
    "/",
    "svc",
    "..",
    ".",
    "%2e",
    "A",
    ":",
    "@",
    "?",
    "#",
    "\\",
    " ",
    "é",
    "\0",
    "_",
    "-",
    "1",
  );
  let read = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece, { maxLength: 8 }).map((all) => all.join("")),
        fc.array(piece, { maxLength: 6 }).map((all) => `spiffe://${all.join("")}`),
        fc.string(),
      ),
      (text) => {
        const id = parseSpiffeId(text);
        if (id === undefined) return;
        read++;
        expect(id.text).toBe(text);
        expect(`spiffe://${id.trustDomain}${id.path}`).toBe(text);
        const url = new URL(text);
        expect([url.host, url.pathname, url.search, url.hash, url.username, url.port]).toEqual([id.trustDomain, id.path, "", "", "", ""]);
      },
    ),
    { seed: 16, numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(10);
});
