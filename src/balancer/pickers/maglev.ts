import { checkInteger, checkKeys } from "../../core/options.ts";
import { ConsistentHash, type ConsistentHashOptions, checkConsistentHash } from "../hashing/consistent-hash.ts";
import { type MaglevTable, maglevTable } from "../hashing/maglev-table.ts";
import type { Picker } from "../picker.ts";

/** Options of {@link maglev}. */
export interface MaglevOptions extends ConsistentHashOptions {
  /**
   * Number of slots of the table, a prime from 2 to 5000011; a hundred times the number of instances keeps shares within 1 %.
   * @default 65537
   */
  readonly tableSize?: number;
}

const optionKeys = ["tableSize", "hashKey", "balanceFactor", "random"];

/**
 * Requests with the same key go to the same instance, in every process that sees the same instances. Shares are as even as the slots
 * of a table allow. When one of n instances leaves or joins, about 1/n of the keys move, and a few more. The lookup table is that of
 * Maglev (Eisenbud and others, NSDI 2016, section 3.4), with Envoy's hashes and weights, by the ids of the instances.
 * @throws TypeError or RangeError naming the option and the value
 */
export function maglev(options: MaglevOptions = {}): Picker {
  const { tableSize = 65_537 } = options;
  checkKeys("maglev", options, optionKeys);
  checkInteger("maglev: tableSize", tableSize, 2, 5_000_011);
  // Every step must reach every slot: it must have no divisor in common with the size.
  if (!isPrime(tableSize)) throw new RangeError(`maglev: tableSize must be a prime number, not ${tableSize}`);
  checkConsistentHash("maglev", options);
  return new ConsistentHash<MaglevTable>(options, (upstreams, before) => maglevTable(upstreams, tableSize, before));
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
