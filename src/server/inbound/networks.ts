import { isIP, SocketAddress } from "node:net";
import { AddressList, isNetwork } from "../../core/peers/address-list.ts";
import { refuseOption } from "../../core/settings/checks.ts";

/** A list of networks, as an option has it: `["10.0.0.0/8", "fd00::/8", "192.0.2.7"]`. */
export class Networks {
  readonly #list: AddressList;
  readonly #hasLoopback: boolean;

  /** @throws TypeError naming the option and the entry that is no network. */
  constructor(option: string, networks: readonly string[]) {
    for (const network of networks)
      if (!isNetwork(network)) refuseOption(option, network, 'addresses and networks such as "10.0.0.0/8" and "fd00::/8"');
    this.#list = new AddressList(networks);
    this.#hasLoopback = this.#list.has("127.0.0.1") || this.#list.has("::1");
  }

  /** Whether an address is in one of them. A Unix socket, which has none, is this machine. */
  has(address: string | undefined): boolean {
    return address === undefined ? this.#hasLoopback : this.#list.has(address);
  }
}

/** The network that stands for one caller: an IPv4 address, or the /64 of an IPv6 one, of which a caller usually has all addresses. */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) !== 6) return address;
  const [plain = ""] = address.split("%");
  // Written in one way by the parser, with one gap at most.
  const { address: canonical } = new SocketAddress({ address: plain, family: "ipv6" });
  const [before = "", after] = canonical.split("::");
  const groups = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  const head = groups(before);
  const tail = groups(after ?? "");
  const whole = after === undefined ? head : [...head, ...new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail];
  return `${whole.slice(0, 4).join(":")}::/64`;
}
