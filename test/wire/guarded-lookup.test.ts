import { describe, expect, it } from "vitest";
import type { RefusableAddresses } from "../../src/core/peers/address-policy.ts";
import { type AddressRules, guardedLookup } from "../../src/wire/guarded-lookup.ts";

const lookup = (host: string, refusedAddresses: readonly RefusableAddresses[] = [], rules: Partial<AddressRules> = {}, port = 80) =>
  new Promise<readonly string[]>((resolve, reject) => {
    guardedLookup({ host, port }, { refusedAddresses, allowCidrs: undefined, denyPorts: [], ...rules }, (error, addresses) =>
      error === null ? resolve(addresses.map(({ address }) => address)) : reject(error),
    );
  });

describe("the lookup of an endpoint's host", () => {
  it("gives the addresses of a name, and an address itself", async () => {
    const found = await lookup("localhost");
    expect(found.some((address) => ["127.0.0.1", "::1"].includes(address))).toBe(true);
    expect(await lookup("10.1.2.3")).toEqual(["10.1.2.3"]);
  });

  it("refuses the cloud's metadata service", async () => {
    // A literal address resolves to itself, as a hostile name would.
    await expect(lookup("169.254.169.254")).rejects.toMatchObject({ code: "EADDRNOTALLOWED" });
    await expect(lookup("169.254.169.254")).rejects.toThrow("no address that an instance can have");
  });

  it.each<[host: string, kind: RefusableAddresses]>([
    ["localhost", "loopback"],
    ["127.0.0.1", "loopback"],
    ["127.8.8.8", "loopback"],
    ["::1", "loopback"],
    ["64:ff9b::7f00:1", "loopback"],
    ["10.0.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["fd12:3456::1", "private"],
    ["2002:a00:1::1", "private"],
  ])("refuses %s where %s addresses are refused, and says by which option", async (host, kind) => {
    expect(await lookup(host)).not.toEqual([]);
    expect(await lookup(host, [kind === "private" ? "loopback" : "private"])).not.toEqual([]);
    await expect(lookup(host, [kind])).rejects.toThrow("(connections.refusedAddresses)");
  });

  it("connects to nothing outside of the allowed networks, and says which address and which option", async () => {
    const allowCidrs = ["10.0.0.0/8", "fd00::/8", "203.0.113.7"];
    for (const host of ["10.1.2.3", "203.0.113.7", "fd12::1"]) expect(await lookup(host, [], { allowCidrs })).toEqual([host]);
    for (const host of ["11.0.0.1", "203.0.113.8", "127.0.0.1", "::1", "2001:db8::1"])
      await expect(lookup(host, [], { allowCidrs })).rejects.toThrow(
        `${host} is in none of the networks that are connected to (connections.allowCidrs)`,
      );
    await expect(lookup("localhost", [], { allowCidrs })).rejects.toThrow(
      /^localhost resolves to (127\.0\.0\.1|::1).*, which is in none of the networks/,
    );
    expect(await lookup("localhost", [], { allowCidrs: ["127.0.0.0/8", "::1"] })).not.toEqual([]);
  });

  it("allows no address by its network that no instance can have, nor one that is refused by its kind", async () => {
    const allowCidrs = ["0.0.0.0/0", "::/0"];
    for (const host of ["169.254.169.254", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "0.0.0.0", "fd00:ec2::254"])
      await expect(lookup(host, [], { allowCidrs })).rejects.toThrow("no address that an instance can have");
    await expect(lookup("10.0.0.1", ["private"], { allowCidrs })).rejects.toThrow("(connections.refusedAddresses)");
  });

  it("connects to no denied port, whatever the host", async () => {
    const denyPorts = [22, 6_379];
    expect(await lookup("10.0.0.1", [], { denyPorts }, 80)).toEqual(["10.0.0.1"]);
    await expect(lookup("10.0.0.1", [], { denyPorts }, 6_379)).rejects.toThrow(
      "10.0.0.1:6379 has a port that is not connected to (connections.denyPorts)",
    );
    await expect(lookup("fd00::1", [], { denyPorts }, 22)).rejects.toThrow("[fd00::1]:22 has a port");
    await expect(lookup("no.such.host.test", [], { denyPorts }, 22)).rejects.toMatchObject({ code: "EADDRNOTALLOWED" });
  });
});
