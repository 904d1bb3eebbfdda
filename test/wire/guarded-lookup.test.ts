import { describe, expect, it } from "vitest";
import type { RefusableAddresses } from "../../src/core/peers/address-policy.ts";
import { AddressRules } from "../../src/core/peers/address-rules.ts";
import { guardedLookup } from "../../src/wire/guarded-lookup.ts";

const lookup = (host: string, refusedAddresses: readonly RefusableAddresses[] = [], allowCidrs: readonly string[] = []) =>
  new Promise<readonly string[]>((resolve, reject) => {
    guardedLookup(host, new AddressRules({ refusedAddresses, allowCidrs, denyPorts: [] }), (error, addresses) =>
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

  it("gives those of the networks alone that the options allow, in whatever spelling", async () => {
    const allowed = ["10.0.0.0/8", "192.0.2.7", "fd12::/16"];
    for (const host of ["10.255.0.1", "192.0.2.7", "fd12:0:0:0:0:0:0:1"]) expect(await lookup(host, [], allowed)).toEqual([host]);
    for (const host of ["11.0.0.1", "192.0.2.8", "127.0.0.1", "::1", "fd13::1", "64:ff9b::a00:1", "2002:a00:1::1"])
      await expect(lookup(host, [], allowed), host).rejects.toThrow("(connections.allowCidrs)");
    await expect(lookup("10.0.0.1", ["private"], allowed)).rejects.toThrow("(connections.refusedAddresses)");
    // What no instance can have is not had by allowing it.
    await expect(lookup("169.254.169.254", [], ["0.0.0.0/0", "::/0"])).rejects.toThrow(/no address that an instance can have$/);
    await expect(lookup("::ffff:10.0.0.1", [], allowed)).rejects.toThrow(/no address that an instance can have$/);
  });
});
