import { type Addresses, type AddressQuery, addedAddresses, findAddresses, maxRecords } from "./addresses.ts";
import type { DnsRecord } from "./answer.ts";
import { foldName, plainName } from "./name.ts";
import { negativeTtl } from "./schedule.ts";

/** One address of one SRV target, with the data of its record. */
export interface ServiceAddress extends Srv {
  readonly host: string;
}

/** The instances that the SRV records of a name lead to. */
export interface Services {
  readonly services: readonly ServiceAddress[];
  /** Time to live, in seconds. */
  readonly ttlS: number;
  /** The only record has the target `.`: "the service is decidedly not available at this domain" (RFC 2782). */
  readonly isDecidedlyAbsent?: boolean;
}

interface Srv {
  /** In lower case, without the final dot. */
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

const maxConcurrentTargets = 16;

/**
 * Queries the SRV records of `name` (RFC 2782), and the addresses of targets that are not in the answer's additional section. A target
 * whose query fails keeps its earlier addresses. Rejects when the first query fails, or a target's does and no other target has an address.
 */
export async function findServices(name: string, query: AddressQuery): Promise<Services> {
  const answer = await query.resolve(name, "SRV", query.signal);
  if (answer.kind !== "records") return { services: [], ttlS: negativeTtl(answer.ttlS) };
  if (isDecidedAbsence(answer.records)) return { services: [], ttlS: answer.ttlS, isDecidedlyAbsent: true };
  const records = usableRecords(answer.records);
  const found = new Map<string, Addresses>();
  const missing = new Set<string>();
  for (const { target } of records) {
    const added = addedAddresses(answer.additional, target, query);
    if (added === undefined) missing.add(target);
    else found.set(target, added);
  }
  const failures = await findMissing(missing, query, found);
  const [failure] = failures.values();
  if (failure !== undefined && ![...found.values()].some(({ addresses }) => addresses.length > 0)) throw failure.error;
  for (const target of failures.keys()) {
    const addresses = query.types.flatMap((type) => query.memory.recall(target, type));
    found.set(target, { addresses, ttlS: negativeTtl(undefined) });
  }
  const ttls = [...found.values()].map(({ ttlS }) => ttlS);
  return { services: join(records, found), ttlS: Math.min(answer.ttlS, ...ttls) };
}

function isDecidedAbsence(records: readonly DnsRecord[]): boolean {
  const services = records.filter(({ type }) => type === "SRV");
  const [only] = services;
  return services.length === 1 && only?.type === "SRV" && (only.data.target === "." || only.data.target === "");
}

/** The records of instances, the most preferred first; a record with port 0, or a target that is no host name, is left out. */
function usableRecords(records: readonly DnsRecord[]): readonly Srv[] {
  return records
    .flatMap((record): Srv[] => {
      if (record.type !== "SRV") return [];
      const { port, priority = 0, weight = 0 } = record.data;
      const target = plainName(record.data.target);
      return target === undefined || port === 0 ? [] : [{ target: foldName(target), port, priority, weight }];
    })
    .sort((a, b) => a.priority - b.priority || b.weight - a.weight || compare(a.target, b.target) || a.port - b.port)
    .slice(0, maxRecords);
}

/** Queries the addresses of `targets` and adds them to `found`. Returns the failures by target. */
async function findMissing(
  targets: ReadonlySet<string>,
  query: AddressQuery,
  found: Map<string, Addresses>,
): Promise<ReadonlyMap<string, { readonly error: unknown }>> {
  const failures = new Map<string, { error: unknown }>();
  const queue = targets.values();
  const work = async () => {
    // All workers share the iterator: each takes the next target.
    for (const target of queue) {
      try {
        found.set(target, await findAddresses(target, query));
      } catch (error) {
        query.signal.throwIfAborted();
        failures.set(target, { error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrentTargets, targets.size) }, work));
  return failures;
}

/** One entry per address and port: that of the first record, which has the best priority and the largest weight. */
function join(records: readonly Srv[], found: ReadonlyMap<string, Addresses>): readonly ServiceAddress[] {
  const services = new Map<string, ServiceAddress>();
  for (const record of records) {
    for (const host of found.get(record.target)?.addresses ?? []) {
      const key = `${host} ${record.port}`;
      if (!services.has(key)) services.set(key, { ...record, host });
      if (services.size === maxRecords) return [...services.values()];
    }
  }
  return [...services.values()];
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
