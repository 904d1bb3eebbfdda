import { describe, expect, it } from "vitest";
import { guardedLookup } from "../../src/wire/guarded-lookup.ts";

const lookup = (host: string, all: boolean) =>
  new Promise<unknown>((resolve, reject) => {
    guardedLookup(host, { all }, (error, address) => (error === null ? resolve(address) : reject(error)));
  });

describe("the lookup of an endpoint's host name", () => {
  it("gives loopback addresses, one or all as it is asked", async () => {
    expect(["127.0.0.1", "::1"]).toContain(await lookup("localhost", false));
    expect(await lookup("localhost", true)).toContainEqual(expect.objectContaining({ family: expect.any(Number) }));
  });

  it("refuses what resolves to the cloud's metadata service only", async () => {
    // A literal address resolves to itself, as a hostile name would.
    await expect(lookup("169.254.169.254", true)).rejects.toMatchObject({ code: "EADDRNOTALLOWED" });
    await expect(lookup("169.254.169.254", false)).rejects.toThrow("no address that an instance can have");
  });
});
