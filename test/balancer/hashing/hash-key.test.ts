import { describe, expect, it } from "vitest";
import { cookieKey, headerKey } from "../../../src/balancer/hashing/hash-key.ts";
import { xxh64 } from "../../../src/core/hashing/xxh64.ts";
import { testRequest } from "../../../src/testing/request.ts";

const hex = (text: string, seed?: number) => {
  const { high, low } = xxh64(text, seed);
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
};

/** A slow XXH64, transcribed from the specification, to compare the fast one with. */
function slowHex(text: string, seed: bigint): string {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ] as const;
  const cut = (number: bigint) => BigInt.asUintN(64, number);
  const rotate = (number: bigint, bits: bigint) => cut((number << bits) | (number >> (64n - bits)));
  const round = (accumulator: bigint, input: bigint) => cut(rotate(cut(accumulator + input * p2), 31n) * p1);
  const bytes = Buffer.from(text);
  let at = 0;
  let hash = cut(seed + p5);
  if (bytes.length >= 32) {
    const lanes = [cut(seed + p1 + p2), cut(seed + p2), seed, cut(seed - p1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [index, lane] of lanes.entries()) lanes[index] = round(lane, bytes.readBigUInt64LE(at + 8 * index));
    }
    hash = cut(lanes.reduce((sum, lane, index) => sum + rotate(lane, [1n, 7n, 12n, 18n][index] as bigint), 0n));
    for (const lane of lanes) hash = cut((hash ^ round(0n, lane)) * p1 + p4);
  }
  hash = cut(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = cut(rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4);
  for (; at + 4 <= bytes.length; at += 4) hash = cut(rotate(hash ^ cut(BigInt(bytes.readUInt32LE(at)) * p1), 23n) * p2 + p3);
  for (; at < bytes.length; at++) hash = cut(rotate(hash ^ cut(BigInt(bytes[at] as number) * p5), 11n) * p1);
  hash = cut((hash ^ (hash >> 33n)) * p2);
  hash = cut((hash ^ (hash >> 29n)) * p3);
  return (hash ^ (hash >> 32n)).toString(16).padStart(16, "0");
}

describe("xxh64", () => {
  // The first seven hashes are published in the tests of several implementations of xxHash.
  it.each([
    ["", 0, "ef46db3751d8e999"],
    ["a", 0, "d24ec4f1a98c6e5b"],
    ["as", 0, "1c330fb2d66be179"],
    ["asd", 0, "631c37ce72a97393"],
    ["asdf", 0, "415872f599cea71e"],
    ["abc", 0, "44bc2cf5ad770999"],
    ["Call me Ishmael. Some years ago--never mind how long precisely-", 0, "02a2e85470d6fd96"],
    ["Nobody inspects the spammish repetition", 0, "fbcea83c8a378bf1"],
    ["", 1, "d5afba1336a3be4b"],
    ["asdf", 1, "d672719c1ce262ac"],
  ])("of %j with seed %i is %s", (text, seed, expected) => {
    expect(hex(text, seed)).toBe(expected);
  });

  it("equals the specification for every length, seed and character", () => {
    for (const alphabet of ["abcdefg", "aé", "日本語", "a😀", "\u0000\uffff"]) {
      for (let length = 0; length <= 140; length++) {
        const text = Array.from({ length }, (_, index) => [...alphabet][(index * index + length) % [...alphabet].length]).join("");
        for (const seed of [0, 1, 2 ** 32 - 1]) expect(hex(text, seed), `${text} ${seed}`).toBe(slowHex(text, BigInt(seed)));
      }
    }
  });

  it("hashes a key of a megabyte", () => {
    const long = "é0123456789".repeat(100_000);
    expect(hex(long)).toBe(slowHex(long, 0n));
    expect(hex("a")).toBe("d24ec4f1a98c6e5b");
  });
});

const withHeaders = (headers: Record<string, string>) => testRequest({ headers: Object.assign(Object.create(null), headers) });

describe("headerKey", () => {
  it("is the header's value, whatever the case of its name", () => {
    expect(headerKey("X-User")(withHeaders({ "x-user": "42" }))).toBe("42");
  });

  it("is no key when the header is missing or empty", () => {
    expect(headerKey("x-user")(withHeaders({}))).toBeUndefined();
    expect(headerKey("x-user")(withHeaders({ "x-user": "" }))).toBeUndefined();
    expect(headerKey("__proto__")(withHeaders({}))).toBeUndefined();
  });

  it("refuses an invalid name", () => {
    expect(() => headerKey("")).toThrow('headerKey: name must be a string that is not empty, not ""');
    expect(() => headerKey(undefined as unknown as string)).toThrow(TypeError);
  });
});

describe("cookieKey", () => {
  it.each([
    ["session=abc", "abc"],
    ["a=1; session=abc; b=2", "abc"],
    ["a=1;session=abc", "abc"],
    ["session=a=b", "a=b"],
    ["session=one; session=two", "one"],
    ["mysession=1", undefined],
    ["Session=1", undefined],
    ["session=", undefined],
    ["session", undefined],
    ["", undefined],
  ])("of %j is %j", (cookie, expected) => {
    expect(cookieKey("session")(withHeaders({ cookie }))).toBe(expected);
  });

  it("is no key without cookies", () => {
    expect(cookieKey("session")(withHeaders({}))).toBeUndefined();
  });

  it("refuses an invalid name", () => {
    expect(() => cookieKey(5 as unknown as string)).toThrow("cookieKey: name must be a string that is not empty, not 5");
  });
});
