import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSpiffeId } from "../../src/core/peers/spiffe-id.ts";
import { trustStore } from "../../src/identity/trust-store.ts";
import { verifyPeer } from "../../src/identity/verify-peer.ts";
import { Authority } from "../support/odd-authority.ts";

test("each of 2,000 mutated certificates is refused", async () => {
  const authority = await Authority.create();
  const id = "spiffe://example.org/svc/orders";
  const { cert } = await authority.issue({ uris: [id], dnsNames: ["orders.test"] });
  const trust = trustStore({ authorities: [], bundles: new Map([["example.org", [authority.cert]]]) });
  const judge = (raw: Uint8Array) => verifyPeer(trust, new X509Certificate(raw), [], { ids: [id] }, Date.now());
  const original = new X509Certificate(cert).raw;
  expect(judge(original).id?.text).toBe(id);
  let count = 0;
  fc.assert(
    fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), fc.constantFrom("flip", "drop", "add"), (at, bits, kind) => {
      const bytes = [...original];
      if (kind === "flip") bytes[at] = (bytes[at] as number) ^ bits;
      else if (kind === "drop") bytes.splice(at, 1);
      else bytes.splice(at, 0, bits);
      const mutated = Uint8Array.from(bytes);
      if (Buffer.compare(mutated, original) === 0) return;
      count++;
      expect(() => judge(mutated)).toThrow();
    }),
    { numRuns: 2_300 },
  );
  expect(count).toBeGreaterThanOrEqual(2_000);
});

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
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(10);
});
