import { type DecodedPacket, type Answer as DnsRecord, decode, encode } from "dns-packet";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../src/discovery/dns/answer.ts";
import { encodeQuery, readReply } from "../../../src/discovery/dns/message.ts";
import { foldName, plainName } from "../../../src/discovery/dns/name.ts";
import { parseServer } from "../../../src/discovery/dns/server.ts";
import { record } from "./dns-responder.ts";

/** A packet as the decoder would give it. */
function packetOf(
  answers: readonly DnsRecord[],
  rest: { readonly authorities?: DnsRecord[]; readonly additionals?: DnsRecord[] } = {},
): DecodedPacket {
  return decode(encode({ type: "response", answers: [...answers], ...rest }));
}

/** `length` aliases from web.test to the end, then an address. */
function chain(length: number, ttl = 60): DnsRecord[] {
  const nameAt = (index: number) => (index === 0 ? "web.test" : `a${index}.test`);
  const aliases = Array.from({ length }, (_, index) => record("CNAME", nameAt(index), nameAt(index + 1), ttl));
  return [...aliases, record("A", nameAt(length), "127.0.0.5")];
}

describe("readAnswer", () => {
  it("follows up to 16 aliases, in any order and letter case", () => {
    for (const length of [0, 1, 16]) {
      const answers = chain(length)
        .reverse()
        .map((one) => ({ ...one, name: one.name.toUpperCase() }) as DnsRecord);
      const answer = readAnswer(packetOf(answers), false, "web.test", "A");
      expect(answer).toMatchObject({ kind: "records", records: [{ data: "127.0.0.5" }] });
    }
  });

  it("gives up on more than 16 aliases, and on aliases in a circle", () => {
    expect(readAnswer(packetOf(chain(17)), false, "web.test", "A")).toBe("more than 16 aliases");
    const circle = [record("CNAME", "web.test", "b.test"), record("CNAME", "b.test", "WEB.test")];
    expect(readAnswer(packetOf(circle), false, "web.test", "A")).toBe("more than 16 aliases");
    expect(readAnswer(packetOf([record("CNAME", "web.test", "web.test")]), false, "web.test", "A")).toBe("more than 16 aliases");
  });

  it("takes the smallest TTL of the records and the aliases before them, and of nothing else", () => {
    const ttlOf = (answers: readonly DnsRecord[]) => {
      const answer = readAnswer(packetOf(answers), false, "web.test", "A");
      return typeof answer === "string" ? answer : answer.ttlS;
    };
    expect(ttlOf([...chain(2, 7), record("A", "other.test", "127.0.0.9", 1), record("TXT", "a2.test", "x", 1)])).toBe(7);
    expect(ttlOf([record("A", "web.test", "127.0.0.5", 30), record("A", "web.test", "127.0.0.6", 20)])).toBe(20);
    expect(ttlOf([record("A", "web.test", "127.0.0.5", 2 ** 31)])).toBe(2 ** 31);
    expect(ttlOf([record("A", "web.test", "127.0.0.5", 0)])).toBe(0);
  });

  it("keeps nothing that belongs to another name, type or class", () => {
    const foreign = [
      record("A", "evil.test", "6.6.6.6"),
      record("AAAA", "web.test", "6::6"),
      { ...record("A", "web.test", "6.6.6.6"), class: "CH" } as DnsRecord,
    ];
    const answer = readAnswer(packetOf([...foreign, record("A", "web.test", "127.0.0.5")]), false, "web.test", "A");
    expect(answer).toMatchObject({ records: [{ data: "127.0.0.5" }] });
    expect(readAnswer(packetOf(foreign), false, "web.test", "A")).toEqual({ kind: "nodata", ttlS: undefined });
  });

  it("does not take an alias without its end for a name without records, unless the SOA says so", () => {
    const alias = record("CNAME", "web.test", "web.other");
    const soa = record("SOA", "other", { mname: "ns", rname: "root", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 9 }, 3);
    expect(readAnswer(packetOf([alias]), false, "web.test", "A")).toBe("an alias to web.other without its records");
    expect(readAnswer(packetOf([alias], { authorities: [soa] }), false, "web.test", "A")).toEqual({ kind: "nodata", ttlS: 3 });
    expect(readAnswer(packetOf([alias]), true, "web.test", "A")).toEqual({ kind: "nxdomain", ttlS: undefined });
  });
});

describe("readReply", () => {
  const query = encodeQuery("web.test", "A", true);
  const reply = encode({
    type: "response",
    id: query.bytes.readUInt16BE(0),
    questions: [{ type: "A", name: "web.test" }],
    answers: chain(3),
  });

  it("survives every cut and every changed byte of an answer", () => {
    for (let length = 0; length < reply.length; length++) expect(typeof readReply(reply.subarray(0, length), query)).toBe("string");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(reply.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(reply);
        for (const [index, value] of changes) bytes[index] = value;
        const read = readReply(bytes, query);
        if (typeof read === "string" || read.packet === undefined) return;
        for (const kind of ["A", "AAAA", "SRV"] as const) readAnswer(read.packet, read.rcode === 3, "web.test", kind);
      }),
      { numRuns: 2_000 },
    );
  });

  it("survives any bytes behind a header and a question that fit", () => {
    const head = reply.subarray(0, 12 + "web.test".length + 2 + 4);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat(65_535), { minLength: 3, maxLength: 3 }), (tail, counts) => {
        const bytes = Buffer.concat([head, tail]);
        for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 6 + 2 * index);
        const read = readReply(bytes, query);
        expect(["string", "object"]).toContain(typeof read);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("plainName", () => {
  it("takes host and service names, with or without the root's dot", () => {
    for (const name of ["web", "web.test", "_http._tcp.web.test", "__proto__.test", "a-b.C9", `${"a".repeat(63)}.test`]) {
      expect(plainName(name)).toBe(name);
      expect(plainName(`${name}.`)).toBe(name);
    }
    expect(foldName("WEB.Test.")).toBe("web.test");
  });

  it("refuses addresses, empty labels, and what only fits on the wire", () => {
    const long = Array.from({ length: 64 }, () => "abc").join(".");
    for (const name of [
      "",
      ".",
      "..",
      "a..b",
      ".a",
      "-a.b",
      "a-.b",
      "a b",
      "a\0b",
      "ä.test",
      "10.0.0.1",
      "::1",
      `${"a".repeat(64)}.test`,
      long,
      "*.test",
    ]) {
      expect(plainName(name), name).toBeUndefined();
    }
    expect(long.length).toBeGreaterThan(253);
  });
});

describe("parseServer", () => {
  it("reads the forms that Node gives and takes", () => {
    expect(parseServer("127.0.0.1")).toEqual({ host: "127.0.0.1", port: 53, family: 4, label: "127.0.0.1:53" });
    expect(parseServer("127.0.0.1:8600")).toMatchObject({ host: "127.0.0.1", port: 8600, family: 4 });
    expect(parseServer("::1")).toEqual({ host: "::1", port: 53, family: 6, label: "[::1]:53" });
    expect(parseServer("[::1]")).toMatchObject({ host: "::1", port: 53 });
    expect(parseServer("[::1]:8600")).toMatchObject({ host: "::1", port: 8600, label: "[::1]:8600" });
    expect(parseServer("fe80::1%eth0")).toMatchObject({ host: "fe80::1%eth0", family: 6 });
  });

  it("refuses everything else", () => {
    for (const text of [
      "",
      "ns.test",
      "ns.test:53",
      "127.0.0.1:0",
      "127.0.0.1:65536",
      "127.0.0.1:",
      "[127.0.0.1]:53",
      "[::1",
      "1.2.3",
      "127.0.0.1:5x",
    ]) {
      expect(parseServer(text), text).toBeUndefined();
    }
  });
});
