import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxEndpointsPerService, validateEndpoints } from "../../src/discovery/validate.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const good = { id: "a", host: "10.0.0.1", port: 80 };

function reasonFor(entry: unknown): string | undefined {
  const { endpoints, rejected } = validateEndpoints([entry]);
  expect(endpoints.length + rejected.length).toBe(1);
  return rejected[0]?.reason;
}

describe("validateEndpoints", () => {
  it("takes what instances have", () => {
    const entries = [
      good,
      { id: "b", host: "127.0.0.1", port: 1 },
      { id: "c", host: "::1", port: 65_535, secure: true, weight: 0, priority: 0, zone: "eu-1a" },
      { id: "d", host: "my_service_1", port: 8080, weight: 0.5, metadata: { version: "1" } },
      { id: "__proto__", host: "192.168.0.1", port: 80, zone: "", metadata: {} },
      { id: "constructor", host: "fd00::1", port: 80, weight: 65_535, priority: 65_535 },
    ];
    const { endpoints, rejected } = validateEndpoints(entries);
    expect(rejected).toEqual([]);
    expect(endpoints).toEqual(entries);
    // The adapter's own objects, so that a picker or an adapter can compare them.
    expect(endpoints.every((endpoint, index) => endpoint === entries[index])).toBe(true);
  });

  const secured = { ...good, secure: true };
  const listedId = "spiffe://example.org/dc/*/svc/orders";

  it("takes the certificate that a source expects of an instance", () => {
    const entry = { ...secured, peer: { id: listedId, serverName: "orders.default.dc1.internal.example.org" } };
    expect(validateEndpoints([entry]).endpoints).toEqual([entry]);
  });

  const bad: readonly (readonly [name: string, entry: unknown, reason: RegExp])[] = [
    ["an expected peer that is no object", { ...secured, peer: listedId }, /^peer/],
    ["an expected peer without an id", { ...secured, peer: {} }, /^peer\.id/],
    ["an expected id of any trust domain", { ...secured, peer: { id: "spiffe://*/svc/orders" } }, /^peer\.id/],
    ["an expected id without a path", { ...secured, peer: { id: "spiffe://example.org" } }, /^peer\.id/],
    ["a choice of the protocol that is none", { ...secured, peer: { id: listedId, negotiates: "h2" } }, /^peer\.negotiates/],
    ["an address to ask for in the handshake", { ...secured, peer: { id: listedId, serverName: "10.0.0.1" } }, /^peer\.serverName/],
    ["a name to ask for that is none", { ...secured, peer: { id: listedId, serverName: "a b" } }, /^peer\.serverName/],
    ["an expected peer that is spoken to in clear text", { ...good, peer: { id: listedId } }, /^peer is given/],
    ["null", null, /object/],
    ["a number", 7, /object/],
    ["an id that is no string", { ...good, id: 1 }, /^id/],
    ["an empty id", { ...good, id: "" }, /^id/],
    ["an id of 513 characters", { ...good, id: "x".repeat(513) }, /^id/],
    ["a line break in the id", { ...good, id: "a\nb" }, /^id/],
    ["no host", { id: "a", port: 80 }, /^host/],
    ["the metadata service", { ...good, host: "169.254.169.254" }, /^host/],
    ["the metadata service, mapped", { ...good, host: "::ffff:a9fe:a9fe" }, /^host/],
    ["the metadata service, mapped at full length", { ...good, host: "0:0:0:0:0:ffff:169.254.169.254" }, /^host/],
    ["the metadata service behind NAT64", { ...good, host: "64:ff9b::a9fe:a9fe" }, /^host/],
    ["the metadata service as a number", { ...good, host: "2852039166" }, /^host/],
    ["the metadata service on IPv6", { ...good, host: "fd00:ec2::254" }, /^host/],
    ["0.0.0.0", { ...good, host: "0.0.0.0" }, /^host/],
    ["::", { ...good, host: "::" }, /^host/],
    ["multicast", { ...good, host: "224.0.0.1" }, /^host/],
    ["IPv6 multicast", { ...good, host: "ff02::1" }, /^host/],
    ["broadcast", { ...good, host: "255.255.255.255" }, /^host/],
    ["a host with a port", { ...good, host: "10.0.0.1:22" }, /^host/],
    ["a host with a path", { ...good, host: "evil/x" }, /^host/],
    ["port 0", { ...good, port: 0 }, /^port/],
    ["port 65536", { ...good, port: 65_536 }, /^port/],
    ["a port in text", { ...good, port: "80" }, /^port/],
    ["a port with more in it", { ...good, port: "80; rm" }, /^port/],
    ["half a port", { ...good, port: 80.5 }, /^port/],
    ["a port that is NaN", { ...good, port: Number.NaN }, /^port/],
    ["a weight that is NaN", { ...good, weight: Number.NaN }, /^weight/],
    ["a negative weight", { ...good, weight: -1 }, /^weight/],
    ["a weight of 1e9", { ...good, weight: 1e9 }, /^weight/],
    ["a weight in text", { ...good, weight: "1" }, /^weight/],
    ["a negative priority", { ...good, priority: -1 }, /^priority/],
    ["an infinite priority", { ...good, priority: Number.POSITIVE_INFINITY }, /^priority/],
    ["a line break in the zone", { ...good, zone: "a\nb" }, /^zone/],
    ["a zone of 256 characters", { ...good, zone: "z".repeat(256) }, /^zone/],
    ["a zone that is no string", { ...good, zone: 1 }, /^zone/],
    ["TLS by the word", { ...good, secure: "false" }, /^secure/],
  ];
  for (const [name, entry, reason] of bad) {
    it(`rejects ${name}, alone`, () => {
      expect(reasonFor(entry)).toMatch(reason);
      const other = { id: "other", host: "10.0.0.2", port: 80 };
      const { endpoints, rejected } = validateEndpoints([entry, other]);
      expect(endpoints).toEqual([other]);
      expect(rejected).toEqual([{ entry, reason: expect.any(String) }]);
    });
  }

  it("keeps the first of two with the same id", () => {
    const twin = { ...good, host: "10.0.0.2" };
    expect(validateEndpoints([good, twin])).toEqual({ endpoints: [good], rejected: [{ entry: twin, reason: 'id "a" occurs twice' }] });
  });

  it("leaves oversized or odd metadata out and keeps the instance", () => {
    for (const metadata of [
      { tag: "x".repeat(10_000_000) },
      { n: 1 },
      "text",
      null,
      ["a"],
      Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, ""])),
    ]) {
      expect(validateEndpoints([{ ...good, weight: 3, metadata }])).toEqual({ endpoints: [{ ...good, weight: 3 }], rejected: [] });
    }
    const largest = { k: "x".repeat(16_383) };
    expect(validateEndpoints([{ ...good, metadata: largest }]).endpoints[0]?.metadata).toBe(largest);
  });

  it("keeps 10,000 of two hundred thousand, the same ones in whatever order they come", () => {
    const many = Array.from({ length: 200_000 }, (_, index) => ({ id: `i${index}`, host: "10.0.0.1", port: 80 }));
    const one = validateEndpoints(many);
    expect(one.endpoints).toHaveLength(maxEndpointsPerService);
    const left = Number(/^(\d+) entries were not looked at/.exec(one.rejected[0]?.reason ?? "")?.[1]);
    expect(left + one.rejected.length - 1).toBe(200_000 - maxEndpointsPerService);
    expect(one.rejected[1]?.reason).toBe("more than 10000 endpoints");
    const other = validateEndpoints(many.toReversed());
    expect(other.endpoints.map(({ id }) => id).toSorted()).toEqual(one.endpoints.map(({ id }) => id).toSorted());
  });

  it("exchanges few of those it keeps when few of all change", () => {
    const random = seededRandom(1);
    const many = Array.from({ length: 12_000 }, () => ({ id: `i-${random()}`, host: "10.0.0.1", port: 80 }));
    const before = new Set(validateEndpoints(many).endpoints);
    const after = validateEndpoints(many.slice(10)).endpoints;
    expect(after).toHaveLength(10_000);
    expect(after.filter((endpoint) => !before.has(endpoint)).length).toBeLessThanOrEqual(10);
  });

  it("keeps all of exactly 10,000, and rejects bad entries rather than good ones", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ id: `i${index}`, host: "10.0.0.1", port: 80 }));
    expect(validateEndpoints([...Array.from({ length: 50_000 }, () => null), ...many]).endpoints).toEqual(many);
  });

  it("takes whatever there is without throwing, and yields only what it promises", () => {
    const field = fc.oneof(fc.anything(), fc.constantFrom("10.0.0.1", "web", "a", 80, 1));
    const entry = fc.oneof(
      fc.anything(),
      fc.record(
        { id: field, host: field, port: field, weight: field, priority: field, zone: field, secure: field, metadata: field },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const { endpoints, rejected } = validateEndpoints(entries);
        expect(endpoints.length + rejected.length).toBe(entries.length);
        expect(new Set(endpoints.map(({ id }) => id)).size).toBe(endpoints.length);
        for (const { id, port, weight = 1, zone = "" } of endpoints) {
          expect(
            typeof id === "string" && Number.isInteger(port) && port > 0 && port < 65_536 && weight >= 0 && typeof zone === "string",
          ).toBe(true);
        }
      }),
    );
  });
});
