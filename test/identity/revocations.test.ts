import { beforeAll, expect, test } from "vitest";
import { readRevocations } from "../../src/identity/revocations.ts";
import { Authority } from "../support/odd-authority.ts";

let list: Buffer;

beforeAll(async () => {
  const pem = await (await Authority.create()).revocations(["41aa"]);
  list = Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
});

const pemOf = (bytes: Buffer) => `-----BEGIN X509 CRL-----\n${bytes.toString("base64")}\n-----END X509 CRL-----\n`;

test("a list is read with its serial numbers", () => {
  expect([...(readRevocations(pemOf(list))[0]?.serials ?? [])]).toEqual(["41aa"]);
});

test("a list whose signature cannot be checked is an error: passed over, it would let what it revokes in", () => {
  const ecdsaWithSha256 = Buffer.from("2a8648ce3d040302", "hex");
  const other = Buffer.from(list);
  const at = other.lastIndexOf(ecdsaWithSha256);
  // ecdsa-with-SHA1
  Buffer.from("2a8648ce3d040101", "hex").copy(other, at);
  expect(() => readRevocations(pemOf(other))).toThrow("a list of revoked certificates is signed by an algorithm that is not supported");
});

test("a text without a list, and a list that is cut off, are errors", () => {
  expect(() => readRevocations("")).toThrow("it holds no list of revoked certificates");
  for (let length = 1; length < list.length; length += 7)
    expect(() => readRevocations(pemOf(list.subarray(0, length))), String(length)).toThrow(/DER|cut off|no list|longer/);
});
