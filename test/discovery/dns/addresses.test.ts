import { describe, expect, it } from "vitest";
import { AddressMemory, findAddresses } from "../../../src/discovery/dns/addresses.ts";
import type { Answer } from "../../../src/discovery/dns/answer.ts";
import type { AddressType } from "../../../src/discovery/dns/options.ts";
import type { Resolve } from "../../../src/discovery/dns/resolver.ts";
import { record } from "./dns-responder.ts";

type Told = readonly string[] | "nxdomain" | "nodata" | Error;

const types: readonly AddressType[] = ["A", "AAAA"];

/** A resolver with the answers in `told`, by type. */
function saying(told: Readonly<Record<string, Told>>): Resolve {
  return async (name, type) => {
    const what = told[type] ?? "nodata";
    if (what instanceof Error) throw what;
    if (typeof what === "string") return { kind: what as "nodata", ttlS: type === "A" ? 2 : 4 };
    const records = what.map((address) => record(type as "A", name, address)) as Extract<Answer, { kind: "records" }>["records"];
    return { kind: "records", records, ttlS: type === "A" ? 30 : 60, additional: new Map() };
  };
}

function find(told: Readonly<Record<string, Told>>, memory = new AddressMemory(), signal = new AbortController().signal) {
  return findAddresses("web.test", { types, resolve: saying(told), memory, signal });
}

describe("findAddresses", () => {
  it("unites both families under the smaller TTL, sorted and each once", async () => {
    expect(await find({ A: ["10.0.0.2", "10.0.0.1", "10.0.0.2"], AAAA: ["::1"] })).toEqual({
      addresses: ["10.0.0.1", "10.0.0.2", "::1"],
      ttlS: 30,
    });
  });

  it("is not disturbed by a family that fails or is absent beside one with addresses", async () => {
    for (const other of [new Error("SERVFAIL"), "nodata", "nxdomain"] as const) {
      expect((await find({ A: ["10.0.0.1"], AAAA: other })).addresses).toEqual(["10.0.0.1"]);
      expect((await find({ A: other, AAAA: ["::1"] })).addresses).toEqual(["::1"]);
    }
  });

  it("keeps the earlier addresses of a family that fails, for as long as it fails", async () => {
    const memory = new AddressMemory();
    await find({ A: ["10.0.0.1"], AAAA: ["::1"] }, memory);
    for (let round = 0; round < 3; round++) {
      memory.nextRound();
      expect((await find({ A: ["10.0.0.2"], AAAA: new Error("SERVFAIL") }, memory)).addresses).toEqual(["10.0.0.2", "::1"]);
    }
    memory.nextRound();
    expect((await find({ A: ["10.0.0.2"], AAAA: "nodata" }, memory)).addresses).toEqual(["10.0.0.2"]);
    memory.nextRound();
    expect((await find({ A: ["10.0.0.2"], AAAA: new Error("SERVFAIL") }, memory)).addresses).toEqual(["10.0.0.2"]);
  });

  it("rejects where one family fails and the other has no addresses: they are not known then", async () => {
    await expect(find({ A: new Error("SERVFAIL"), AAAA: "nodata" })).rejects.toThrow("SERVFAIL");
    await expect(find({ A: "nodata", AAAA: new Error("SERVFAIL") })).rejects.toThrow("SERVFAIL");
    const memory = new AddressMemory();
    await find({ A: ["10.0.0.1"] }, memory);
    memory.nextRound();
    await expect(find({ A: new Error("A fails"), AAAA: new Error("AAAA fails") }, memory)).rejects.toThrow("A fails");
  });

  it("is empty for a short while when a name has no addresses or does not exist, which holds for both families", async () => {
    expect(await find({ A: "nodata", AAAA: "nodata" })).toEqual({ addresses: [], ttlS: 2 });
    expect(await find({ A: "nxdomain", AAAA: new Error("SERVFAIL") })).toEqual({ addresses: [], ttlS: 2 });
  });

  it("drops addresses that can't be an instance's and keeps the others", async () => {
    expect((await find({ A: ["0.0.0.0", "10.0.0.1", "169.254.169.254"], AAAA: ["::ffff:10.0.0.1", "ff02::1"] })).addresses).toEqual([
      "10.0.0.1",
    ]);
    expect((await find({ A: ["0.0.0.0"], AAAA: "nodata" })).addresses).toEqual([]);
  });

  it("keeps the same 256 of 300 addresses whatever their order", async () => {
    const many = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const one = (await find({ A: many })).addresses;
    expect(one).toHaveLength(256);
    expect((await find({ A: many.toReversed() })).addresses).toEqual(one);
  });

  it("rejects with the reason when it was aborted meanwhile", async () => {
    await expect(find({ A: ["10.0.0.1"] }, new AddressMemory(), AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });

  it("keeps unicast addresses, loopback and private ones too", async () => {
    const a = ["1.2.3.4", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.9.10", "172.16.0.1", "192.168.1.1", "223.255.255.255"];
    const aaaa = ["2001:db8::1", "64:ff9b::a00:1", "::1", "fd00::1"];
    expect(new Set((await find({ A: a, AAAA: aaaa })).addresses)).toEqual(new Set([...a, ...aaaa]));
  });

  it.each([
    ...["0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
    ...["::", "::2", "::a9fe:a9fe", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::FFFF:0:0", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254"],
    ...["64:ff9b::a9fe:a9fe", "64:ff9b::", "64:ff9b::e000:1", "fe80::1%eth0"],
    ...["", "1", "010.0.0.1", "0x7f000001", "2130706433", "127.1", "1.2.3.4.5", "web.test", "[::1]"],
  ])("drops %j, which names no instance or is a disguise", async (address) => {
    expect((await find({ [address.includes(":") ? "AAAA" : "A"]: [address, "10.0.0.1", "::1"] })).addresses).toEqual(["10.0.0.1", "::1"]);
  });
});
