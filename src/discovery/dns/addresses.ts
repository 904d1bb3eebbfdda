import { isInstanceAddress } from "../../core/address-policy.ts";
import { type DnsRecord, followAliases, type RecordIndex } from "./answer.ts";
import type { AddressType } from "./options.ts";
import type { Resolve } from "./resolver.ts";
import { negativeTtl } from "./schedule.ts";

/** The addresses of a name, sorted; none when it decidedly has none. */
export interface Addresses {
  readonly addresses: readonly string[];
  /** For how many seconds that holds. */
  readonly ttlS: number;
}

/** What a name's addresses are asked with. */
export interface AddressQuery {
  readonly types: readonly AddressType[];
  readonly resolve: Resolve;
  readonly memory: AddressMemory;
  readonly signal: AbortSignal;
}

/** Records kept of one answer, a bound on what one poisoned answer can cost. */
export const maxRecords = 256;

/**
 * The addresses that names had in the round of queries before. Where a part of a round fails, they stand in for it: an
 * instance must not vanish because the query for its address, of twenty, was lost.
 */
export class AddressMemory {
  #before = new Map<string, readonly string[]>();
  #now = new Map<string, readonly string[]>();

  /** Begins a round: what the last one did not use is forgotten. */
  nextRound(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  keep(name: string, type: AddressType, addresses: readonly string[]): void {
    this.#now.set(`${type} ${name}`, addresses);
  }

  recall(name: string, type: AddressType): readonly string[] {
    const addresses = this.#before.get(`${type} ${name}`) ?? [];
    if (addresses.length > 0) this.keep(name, type, addresses);
    return addresses;
  }
}

/**
 * Asks for the addresses of `name` in all families together. A family that fails is hidden by one that has addresses, and
 * its earlier ones stay. Rejects when one fails and no other has any: whether the name has addresses is not known then.
 */
export async function findAddresses(name: string, { types, resolve, memory, signal }: AddressQuery): Promise<Addresses> {
  const results = await Promise.allSettled(types.map((type) => resolve(name, type, signal)));
  signal.throwIfAborted();
  const fresh: string[] = [];
  const recalled: string[] = [];
  let ttlS = Number.POSITIVE_INFINITY;
  let absentTtlS = Number.POSITIVE_INFINITY;
  let isAbsent = false;
  let failure: PromiseRejectedResult | undefined;
  for (const [index, type] of types.entries()) {
    const result = results[index] as (typeof results)[number];
    if (result.status === "rejected") {
      failure ??= result;
      recalled.push(...memory.recall(name, type));
      continue;
    }
    const answer = result.value;
    if (answer.kind === "records") {
      const addresses = plainAddresses(answer.records);
      memory.keep(name, type, addresses);
      fresh.push(...addresses);
      ttlS = Math.min(ttlS, answer.ttlS);
    } else {
      absentTtlS = Math.min(absentTtlS, negativeTtl(answer.ttlS));
      // That a name does not exist holds for every type (RFC 8020), so it outweighs a failure of the other family.
      isAbsent ||= answer.kind === "nxdomain";
    }
  }
  if (fresh.length > 0) return { addresses: limited([...fresh, ...recalled]), ttlS };
  if (failure !== undefined && !isAbsent) throw failure.reason;
  return { addresses: [], ttlS: Math.min(ttlS, absentTtlS) };
}

/** The addresses of `name` that came along with an answer; `undefined` when none did. */
export function addedAddresses(added: RecordIndex, name: string, { types, memory }: AddressQuery): Addresses | undefined {
  const found: string[] = [];
  let ttlS = Number.POSITIVE_INFINITY;
  for (const type of types) {
    const end = followAliases(added, name, type);
    if (typeof end === "string" || end.records.length === 0) continue;
    const addresses = plainAddresses(end.records);
    memory.keep(name, type, addresses);
    found.push(...addresses);
    ttlS = Math.min(ttlS, end.ttlS);
  }
  return found.length > 0 ? { addresses: limited(found), ttlS } : undefined;
}

function plainAddresses(records: readonly DnsRecord[]): readonly string[] {
  return limited(
    records.flatMap((record) => (record.type === "A" || record.type === "AAAA" ? [record.data] : [])).filter(isInstanceAddress),
  );
}

/** Sorted before it is cut, so that a server that rotates its answers does not make the set change. */
function limited(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort().slice(0, maxRecords);
}
