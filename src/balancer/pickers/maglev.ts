import { checkInteger } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom } from "../../core/settings/rules.ts";
import { ConsistentHash, type ConsistentHashOptions, consistentHashRules } from "../hashing/consistent-hash.ts";
import { type MaglevTable, maglevTable } from "../hashing/maglev-table.ts";
import type { Picker } from "../picker.ts";
import { settlePicker } from "../picker-options.ts";

/** Options of {@link maglev}. */
export interface MaglevOptions extends ConsistentHashOptions {
  /**
   * Number of slots of the table, a prime from 2 to 5000011; a hundred times the number of instances keeps shares within 1 %.
   * @default 65537
   */
  readonly tableSize?: number;
}

/** The rules of {@link MaglevOptions}. */
export const maglevOptions = optionTable<MaglevOptions>()({
  tableSize: custom<number>({ type: "number", default: 65_537, range: "a prime from 2 to 5000011", check: checkTableSize }),
  ...consistentHashRules,
});

/**
 * Requests with the same key go to the same instance, in every process that sees the same instances. Shares are as even as the slots
 * of a table allow. When one of n instances leaves or joins, about 1/n of the keys move, and a few more. The lookup table is that of
 * Maglev (Eisenbud and others, NSDI 2016, section 3.4), with Envoy's hashes and weights, by the ids of the instances.
 * @throws TypeError or RangeError naming the option and the value
 */
export function maglev(options: MaglevOptions = {}): Picker {
  const settings = settlePicker("maglev", maglevOptions, options);
  return new ConsistentHash<MaglevTable>(settings, (upstreams, before) => maglevTable(upstreams, settings.tableSize, before));
}

function checkTableSize(option: string, size: unknown): void {
  checkInteger(option, size, 2, 5_000_011);
  // Every step must reach every slot: it must have no divisor in common with the size.
  if (!isPrime(size as number)) throw new RangeError(`${option} must be a prime number, not ${size}`);
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
