import { describe, expect, it } from "vitest";
import type { RefusableAddresses } from "../../src/core/peers/address-policy.ts";
import { guardedLookup } from "../../src/wire/guarded-lookup.ts";

const lookup = (host: string, refused: readonly RefusableAddresses[] = []) =>
  new Promise<readonly string[]>((resolve, reject) => {
    guardedLookup(host, refused, (error, addresses) => (error === null ? resolve(addresses.map(({ address }) => address)) : reject(error)));
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
});
