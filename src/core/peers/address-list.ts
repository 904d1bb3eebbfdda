import { BlockList, isIP } from "node:net";

/** Addresses and networks, as rules and options name them: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`. */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws Error for an entry that is none. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const network = networkOf(entry);
      if (network === undefined) throw new Error(`"${entry}" is no address and no network such as 10.0.0.0/8 or fd00::/8`);
      this.#list.addSubnet(network.address, network.bits, network.family);
    }
  }

  /** Whether one of them has an address; of an IPv4 address in IPv6 (`::ffff:10.0.0.1`) as of itself. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    const zone = address.indexOf("%");
    const plain = zone === -1 ? address : address.slice(0, zone);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? "ipv4" : "ipv6");
  }
}

/** Whether a text is an address or a network. */
export function isNetwork(text: unknown): boolean {
  return networkOf(text) !== undefined;
}

function networkOf(text: unknown): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", prefix, ...rest] = typeof text === "string" ? text.split("/") : [];
  // An index of a zone means something on one machine only.
  const family = address.includes("%") ? 0 : isIP(address);
  const most = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || !(bits <= most) || rest.length > 0) return undefined;
  return { address, bits, family: family === 4 ? "ipv4" : "ipv6" };
}
