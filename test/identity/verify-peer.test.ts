import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { PeerRefused } from "../../src/identity/peer-refused.ts";
import { trustStore } from "../../src/identity/trust-store.ts";
import { type ExpectedPeer, verifyPeer } from "../../src/identity/verify-peer.ts";
import { Authority, type Issued, keyUsage, type Wanted } from "../support/odd-authority.ts";

const orders = "spiffe://example.org/svc/orders";
const hourMs = 3_600_000;
const past = new Date(Date.now() - hourMs);
const longPast = new Date(Date.now() - 2 * hourMs);

let own: Authority;
let foreign: Authority;
let trust: ReturnType<typeof trustStore>;

beforeAll(async () => {
  own = await Authority.create("example.org");
  foreign = await Authority.create("other.org");
  trust = trustStore({
    authorities: [own.cert],
    bundles: new Map([
      ["example.org", [own.cert]],
      ["other.org", [foreign.cert]],
    ]),
  });
});

function judge(
  { cert }: Pick<Issued, "cert">,
  expected: ExpectedPeer = { ids: [orders] },
  shown: readonly Authority[] = [],
  store = trust,
) {
  return verifyPeer(
    store,
    new X509Certificate(cert),
    shown.map((each) => new X509Certificate(each.cert)),
    expected,
    Date.now(),
  );
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof PeerRefused) return error.reason;
    throw error;
  }
  return "admitted";
}

describe("an honest peer", () => {
  test("with the expected SPIFFE id is admitted, and its names are told", async () => {
    const peer = judge(await own.issue({ uris: [orders], dnsNames: ["orders.test"] }));
    expect(peer).toMatchObject({ id: { text: orders, trustDomain: "example.org" }, dnsNames: ["orders.test"] });
  });

  test("with one of several expected ids is admitted", async () => {
    expect(judge(await own.issue({ uris: [orders] }), { ids: ["spiffe://example.org/x", orders] }).id?.text).toBe(orders);
  });

  test("of another trust domain is admitted by the bundle of that domain", async () => {
    const id = "spiffe://other.org/svc/orders";
    expect(judge(await foreign.issue({ uris: [id] }), { ids: [id] }).id?.text).toBe(id);
  });

  test("below an intermediate authority that it shows is admitted", async () => {
    const middle = await own.intermediate("middle");
    expect(judge(await middle.issue({ uris: [orders] }), { ids: [orders] }, [middle]).id?.text).toBe(orders);
  });

  test("below an intermediate authority that the bundle holds without its root is admitted", async () => {
    const middle = await own.intermediate("middle");
    const store = trustStore({ authorities: [], bundles: new Map([["example.org", [middle.cert]]]) });
    expect(judge(await middle.issue({ uris: [orders] }), { ids: [orders] }, [], store).id?.text).toBe(orders);
  });

  test("with the expected DNS name is admitted, and so is one with the expected address", async () => {
    expect(judge(await own.issue({ dnsNames: ["orders.test"] }), { name: "orders.test" }).id).toBeUndefined();
    expect(judge(await own.issue({ ips: ["127.0.0.1"] }), { name: "127.0.0.1" }).id).toBeUndefined();
  });

  test("of which nothing is expected is admitted with the id that it has", async () => {
    expect(judge(await own.issue({ uris: [orders] }), {}).id?.text).toBe(orders);
  });
});

const attacks: readonly [name: string, wanted: Wanted, reason: string][] = [
  ["two URIs, the expected one first", { uris: [orders, "spiffe://example.org/admin"] }, "certificate"],
  ["two URIs, the expected one last", { uris: ["https://x.test/", orders] }, "certificate"],
  ["the certificate of an authority", { uris: [orders], isAuthority: true, keyUsage: keyUsage.digitalSignature }, "certificate"],
  ["a key that signs certificates", { uris: [orders], keyUsage: keyUsage.digitalSignature | keyUsage.keyCertSign }, "certificate"],
  ["a key that signs lists", { uris: [orders], keyUsage: keyUsage.digitalSignature | keyUsage.cRLSign }, "certificate"],
  ["no digitalSignature", { uris: [orders], keyUsage: keyUsage.keyEncipherment }, "certificate"],
  ["no key usage", { uris: [orders], keyUsage: false }, "certificate"],
  ["the id of the trust domain itself", { uris: ["spiffe://example.org"] }, "certificate"],
  ["a slash at the end", { uris: [`${orders}/`] }, "certificate"],
  ["a dot segment", { uris: ["spiffe://example.org/svc/x/../orders"] }, "certificate"],
  ["an encoded character", { uris: ["spiffe://example.org/svc/%6frders"] }, "certificate"],
  ["an upper-case scheme", { uris: ["SPIFFE://example.org/svc/orders"] }, "certificate"],
  ["an upper-case trust domain", { uris: ["spiffe://EXAMPLE.org/svc/orders"] }, "certificate"],
  ["a port", { uris: ["spiffe://example.org:443/svc/orders"] }, "certificate"],
  ["a query", { uris: [`${orders}?a`] }, "certificate"],
  ["another id in upper case", { uris: ["spiffe://example.org/svc/Orders"] }, "id"],
  ["an id that begins with the expected one", { uris: [`${orders}-admin`] }, "id"],
  ["an id below the expected one", { uris: [`${orders}/admin`] }, "id"],
  ["an id that the expected one begins with", { uris: ["spiffe://example.org/svc"] }, "id"],
  ["no id, and its name as DNS name", { dnsNames: ["orders"] }, "id"],
  ["no id, and its id as common name", { commonName: orders }, "id"],
  ["an id of another trust domain that is no bundle", { uris: ["spiffe://third.org/svc/orders"] }, "authority"],
  ["an id of another trust domain, by the wrong authority", { uris: ["spiffe://other.org/svc/orders"] }, "authority"],
  ["a URI that hides a second one", { uris: [`spiffe://example.org/low, URI:${orders}`] }, "certificate"],
  ["a DNS name that hides a URI", { uris: [orders], dnsNames: [`a.test, URI:${orders}`] }, "certificate"],
  ["an expired certificate", { uris: [orders], notBefore: longPast, notAfter: past }, "expired"],
  [
    "a certificate that begins later",
    { uris: [orders], notBefore: new Date(Date.now() + hourMs), notAfter: new Date(Date.now() + 2 * hourMs) },
    "expired",
  ],
];

describe("a peer is refused", () => {
  test.each(attacks)("with %s", async (_name, wanted, reason) => {
    const issued = await own.issue(wanted);
    expect(refusal(() => judge(issued))).toBe(reason);
  });

  test("by an unknown authority of the same name", async () => {
    const twin = await Authority.create("example.org");
    const issued = await twin.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, { ids: [orders] }, [twin]))).toBe("authority");
  });

  test("below an expired intermediate authority", async () => {
    const middle = await own.intermediate("middle", { notBefore: longPast, notAfter: past });
    const issued = await middle.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, { ids: [orders] }, [middle]))).toBe("expired");
  });

  test("below a leaf that has signed it", async () => {
    const leaf = await own.intermediate("a leaf", { isAuthority: false, keyUsage: keyUsage.digitalSignature });
    const issued = await leaf.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, { ids: [orders] }, [leaf]))).toBe("authority");
  });

  test("below more intermediate authorities than the one above them allows", async () => {
    const middle = await own.intermediate("middle", { pathLength: 0 });
    const lower = await middle.intermediate("lower");
    const issued = await lower.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, { ids: [orders] }, [middle, lower]))).toBe("authority");
  });

  test("with its name as common name only, whatever the case", async () => {
    const issued = await own.issue({ commonName: "orders.test" });
    expect(refusal(() => judge(issued, { name: "orders.test" }))).toBe("id");
    expect(refusal(() => judge(issued, { name: "ORDERS.test" }))).toBe("id");
  });

  test("with an id where the authorities are those of peers without one", async () => {
    const store = trustStore({ authorities: [own.cert], bundles: new Map() });
    const issued = await own.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, {}, [], store))).toBe("authority");
  });
});

describe("lists of revoked certificates", () => {
  const storeWith = (...revocations: string[]) =>
    trustStore({ authorities: [], bundles: new Map([["example.org", [own.cert]]]), revocations });

  test("refuse the certificate that they name, and no other", async () => {
    const bad = await own.issue({ uris: [orders] });
    const good = await own.issue({ uris: [orders] });
    const store = storeWith(await own.revocations([bad.serial]));
    expect(refusal(() => judge(bad, {}, [], store))).toBe("revoked");
    expect(refusal(() => judge(good, {}, [], store))).toBe("admitted");
  });

  test("refuse what is below a revoked intermediate authority", async () => {
    const middle = await own.intermediate("middle");
    const store = storeWith(await own.revocations([new X509Certificate(middle.cert).serialNumber]));
    const issued = await middle.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, {}, [middle], store))).toBe("revoked");
  });

  test("count only where the issuer has signed them", async () => {
    const issued = await own.issue({ uris: [orders] });
    const twin = await Authority.create("example.org");
    const forged = await twin.revocations([issued.serial]);
    expect(refusal(() => judge(issued, {}, [], storeWith(forged)))).toBe("admitted");
  });

  test("refuse every certificate of their issuer once the next list is overdue", async () => {
    const store = storeWith(await own.revocations([], past));
    const issued = await own.issue({ uris: [orders] });
    expect(refusal(() => judge(issued, {}, [], store))).toBe("revoked");
  });
});
