import { BlockList, isIP } from "node:net";
import { isInstanceAddress, type RefusableAddresses, refusableKindOf } from "./address-policy.ts";

/** The options that narrow what is connected to. */
export interface AddressRuleOptions {
  readonly refusedAddresses: readonly RefusableAddresses[];
  readonly allowCidrs: readonly string[];
  readonly denyPorts: readonly number[];
}

/** Which addresses and ports of instances are connected to, whatever discovery and the resolver say. */
export class AddressRules {
  readonly #refused: readonly RefusableAddresses[];
  readonly #allowed: BlockList | undefined;
  readonly #denied: ReadonlySet<number>;

  /** The options have been checked. */
  constructor({ refusedAddresses, allowCidrs, denyPorts }: AddressRuleOptions) {
    this.#refused = refusedAddresses;
    this.#allowed = allowCidrs.length === 0 ? undefined : new BlockList();
    for (const text of allowCidrs) {
      const { address, bits, family } = networkOf(text) as Network;
      this.#allowed?.addSubnet(address, bits, family);
    }
    this.#denied = new Set(denyPorts);
  }

  /** Why an address is not connected to: `an address` that no instance can have, or the option that refuses it; `undefined` for all others. */
  faultOf(address: string): "an address" | "connections.refusedAddresses" | "connections.allowCidrs" | undefined {
    if (!isInstanceAddress(address)) return "an address";
    if (this.#refused.some((kind) => kind === refusableKindOf(address))) return "connections.refusedAddresses";
    const isAllowed = this.#allowed?.check(address, isIP(address) === 4 ? "ipv4" : "ipv6") ?? true;
    return isAllowed ? undefined : "connections.allowCidrs";
  }

  /** Whether no instance is connected to at this port. */
  denies(port: number): boolean {
    return this.#denied.has(port);
  }
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

/** Whether a value is an address or a network: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`. */
export function isNetwork(value: unknown): boolean {
  return typeof value === "string" && networkOf(value) !== undefined;
}

function networkOf(text: string): Network | undefined {
  const [, address = "", prefix] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  return version === 0 || bits > most ? undefined : { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
}
