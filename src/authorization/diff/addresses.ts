import { isIP } from "node:net";
import type { PolicyRule } from "../policy.ts";
import { type Dimension, sampled } from "./dimension.ts";

/** IPv4 addresses stand in IPv6 from here on (`::ffff:0:0/96`), and match the same networks. */
const mapped = 0xffffn << 32n;
const ends = { 4: 1n << 32n, 6: 1n << 128n } as const;

/** Addresses: none, and the first one of each range between the ends of networks that rules name. */
export function addressDimension(rules: readonly PolicyRule[]): Dimension {
  const networks = [...new Set(rules.flatMap(({ from = {} }) => [...(from.addresses ?? []), ...(from.notAddresses ?? [])]))];
  const starts = { 4: new Set([0n]), 6: new Set([0n]) };
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = isIP(address) === 4 ? 4 : 6;
    const size = 1n << (BigInt(family === 4 ? 32 : 128) - BigInt(prefix ?? (family === 4 ? 32 : 128)));
    const first = (numberOf(address) / size) * size;
    for (const start of [first, first + size]) {
      starts[family].add(start);
      if (family === 4) starts[6].add(start + mapped);
      else starts[4].add(start - mapped);
    }
  }
  const samples = ([4, 6] as const).flatMap((family) => {
    const list = [...starts[family]].filter((start) => start >= 0n && start < ends[family]).sort((a, b) => (a < b ? -1 : 1));
    return list.map((start, index) => {
      const first = textOf(start, family);
      const last = textOf((list[index + 1] ?? ends[family]) - 1n, family);
      return { label: first === last ? first : `${first} to ${last}`, part: { address: first } };
    });
  });
  return sampled("address", addressesOf, [{ label: "no address", part: { address: undefined } }, ...samples]);
}

function addressesOf({ id, action, from }: PolicyRule): PolicyRule | undefined {
  const { addresses, notAddresses } = from ?? {};
  if (addresses === undefined && notAddresses === undefined) return undefined;
  return { id, action, from: { ...(addresses && { addresses }), ...(notAddresses && { notAddresses }) } };
}

function numberOf(address: string): bigint {
  if (isIP(address) === 4) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  // The parser of URLs writes every address in one way: groups of four digits, with one gap at most.
  const [before = "", after] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const groups = (text: string | undefined): readonly string[] => (text === undefined || text === "" ? [] : text.split(":"));
  const tail = groups(after);
  const zeros = new Array<string>(8 - groups(before).length - tail.length).fill("0");
  return [...groups(before), ...zeros, ...tail].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function textOf(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(112 - 16 * index)) & 65_535n).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
