import { isInstanceAddress } from "../../core/peers/address-policy.ts";
import { type DnsRecord, followAliases, type RecordIndex } from "./answer.ts";
import type { AddressType } from "./options.ts";
import type { Resolve } from "./resolver.ts";
import { negativeTtl } from "./schedule.ts";

/** The addresses of a name, sorted; none when the name exists without any, or does not exist. */
export interface Addresses {
  readonly addresses: readonly string[];
  /** Time to live, in seconds. */
  readonly ttlS: number;
}

/** The parameters of a query for addresses. */
export interface AddressQuery {
  readonly types: readonly AddressType[];
  readonly resolve: Resolve;
  readonly memory: AddressMemory;
  readonly signal: AbortSignal;
}

/** Records kept of one answer, a bound on the cost of a poisoned one. */
export const maxRecords = 256;

/**
 * The addresses that names had in the previous round of queries. They are used where a part of a round fails: an instance must not vanish
 * because one query of twenty was lost.
 */
export class AddressMemory {
  #before = new Map<string, readonly string[]>();
  #now = new Map<string, readonly string[]>();

  /** Begins a round. Addresses that the last round did not use are forgotten. */
  nextRound(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** Begins to look through the answers of the same round again: what the last look has kept for the next round is decided anew. */
  nextLook(): void {
    this.#now = new Map();
  }

  /** Keeps the addresses of `name` for the next round. */
  keep(name: string, type: AddressType, addresses: readonly string[]): void {
    this.#now.set(`${type} ${name}`, addresses);
  }

  /** The addresses that `name` had in the previous round, kept for the next one too. */
  recall(name: string, type: AddressType): readonly string[] {
    const addresses = this.#before.get(`${type} ${name}`) ?? [];
    if (addresses.length > 0) this.keep(name, type, addresses);
    return addresses;
  }
}

/**
 * Queries the addresses of `name` in all families at once. Where one family fails and another has addresses, the earlier addresses of the
 * failed family stay. Rejects when one fails and no other has any: then it is not known whether the name has addresses.
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
      // NXDOMAIN holds for every type (RFC 8020), so it outweighs a failure of the other family.
      isAbsent ||= answer.kind === "nxdomain";
    }
  }
  if (fresh.length > 0) return { addresses: limited([...fresh, ...recalled]), ttlS };
  if (failure !== undefined && !isAbsent) throw failure.reason;
  return { addresses: [], ttlS: Math.min(ttlS, absentTtlS) };
}

/** The addresses of `name` in the additional section of an answer; `undefined` when there are none. */
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

/** Sorted before it is cut, so that a server that rotates its answers does not change the set. */
function limited(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort().slice(0, maxRecords);
}
