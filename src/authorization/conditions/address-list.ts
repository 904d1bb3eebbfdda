import { BlockList, isIP } from "node:net";

/** Addresses and networks of a rule. */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws Error for an entry that is none. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = "", prefix, ...rest] = entry.split("/");
      const family = isIP(address);
      const most = family === 4 ? 32 : 128;
      const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
      if (family === 0 || !(bits <= most) || rest.length > 0)
        throw new Error(`"${entry}" is no address and no network such as 10.0.0.0/8 or fd00::/8`);
      this.#list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
    }
  }

  /** Whether one of them has an address. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    const zone = address.indexOf("%");
    const plain = zone === -1 ? address : address.slice(0, zone);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? "ipv4" : "ipv6");
  }
}
