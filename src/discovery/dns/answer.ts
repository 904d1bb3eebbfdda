import type { Answer as AnyRecord, DecodedPacket, OptAnswer } from "dns-packet";
import { cleanText } from "../../core/text/clean-text.ts";
import type { QueryType } from "./message.ts";
import { foldName } from "./name.ts";

/** A record as dns-packet decodes it, without the OPT pseudo-record. */
export type DnsRecord = Exclude<AnyRecord, OptAnswer>;

/** Records by folded owner name. */
export type RecordIndex = ReadonlyMap<string, readonly DnsRecord[]>;

/** The answer of a server about one name and type. */
export type Answer =
  | {
      readonly kind: "records";
      readonly records: readonly DnsRecord[];
      /** The smallest TTL of the records and of the aliases that led to them, in seconds. */
      readonly ttlS: number;
      /** Records of the additional section, such as the addresses of SRV targets. */
      readonly additional: RecordIndex;
    }
  /** The name does not exist, or has no record of the type. `ttlS` is the negative TTL of the SOA record (RFC 2308), where there is one. */
  | { readonly kind: "nxdomain" | "nodata"; readonly ttlS: number | undefined };

const maxAliases = 16;

/**
 * Reads a NOERROR or NXDOMAIN reply about `name` and `type`. Returns a string with the reason when it is no answer: a chain of more than 16
 * aliases, an alias whose target is missing, or a referral to other servers.
 */
export function readAnswer(packet: DecodedPacket, isNxdomain: boolean, name: string, type: QueryType): Answer | string {
  const answers = packet.answers ?? [];
  const authorities = packet.authorities ?? [];
  const found = followAliases(indexRecords(answers), name, type);
  if (typeof found === "string") return found;
  if (found.records.length > 0) {
    return { kind: "records", records: found.records, ttlS: found.ttlS, additional: indexRecords(packet.additionals ?? []) };
  }
  const ttlS = negativeTtlOf(authorities);
  if (isNxdomain) return { kind: "nxdomain", ttlS };
  if (ttlS === undefined) {
    // RFC 2308 §2.2: NS records without an SOA are a referral, and say nothing about the name.
    const isReferral = answers.length === 0 && authorities.some((record) => record.type === "NS");
    if (isReferral) return "a referral: the server does not resolve for clients";
    if (found.owner !== foldName(name)) return `an alias to ${cleanText(found.owner)} without its records`;
  }
  return { kind: "nodata", ttlS };
}

/** The records of `type` at the end of the aliases that start at `name`. Returns a string with the reason when there is no end. */
export function followAliases(
  index: RecordIndex,
  name: string,
  type: QueryType,
): { readonly records: readonly DnsRecord[]; readonly owner: string; readonly ttlS: number } | string {
  let owner = foldName(name);
  let ttlS = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= maxAliases; aliases++) {
    const own = index.get(owner) ?? [];
    const records = own.filter((record) => record.type === type);
    if (records.length > 0) return { records, owner, ttlS: Math.min(ttlS, ...records.map(ttlOf)) };
    const alias = own.find((record) => record.type === "CNAME");
    if (alias === undefined) return { records, owner, ttlS };
    ttlS = Math.min(ttlS, ttlOf(alias));
    owner = foldName(String(alias.data));
  }
  return `more than ${maxAliases} aliases`;
}

function indexRecords(records: readonly AnyRecord[]): RecordIndex {
  const index = new Map<string, DnsRecord[]>();
  for (const record of records) {
    if (record.type === "OPT" || record.class !== "IN") continue;
    const owner = foldName(record.name);
    const own = index.get(owner);
    if (own === undefined) index.set(owner, [record]);
    else own.push(record);
  }
  return index;
}

/** Seconds, 0 to 2^32 - 1: the high bit is part of the number (RFC 8767 §4, which updates RFC 2181 §8). */
function ttlOf(record: DnsRecord): number {
  return record.ttl ?? 0;
}

function negativeTtlOf(authorities: readonly AnyRecord[]): number | undefined {
  const soa = authorities.find((record) => record.type === "SOA");
  return soa?.type === "SOA" ? Math.min(ttlOf(soa), soa.data.minimum ?? 0) : undefined;
}
