import { randomInt } from "node:crypto";
import type { DecodedPacket } from "dns-packet";
import { load } from "./dns-packet-package.cjs";

/** The record types that are queried. */
export type QueryType = "A" | "AAAA" | "SRV";

/** A query ready to be sent. */
export interface Query {
  readonly name: string;
  readonly type: QueryType;
  readonly edns: boolean;
  /** The encoded message, with a random id. */
  readonly bytes: Buffer;
}

/** A reply that fits its query. */
export interface Reply {
  /** 0 is NOERROR; includes the upper bits that EDNS adds. */
  readonly rcode: number;
  /** Whether the answer did not fit a datagram. `packet` is `undefined` then. */
  readonly truncated: boolean;
  readonly packet: DecodedPacket | undefined;
  /** Of the message, in bytes. */
  readonly length: number;
}

const headerLength = 12;
/** The largest answer by UDP without EDNS (RFC 1035 §4.2.1). */
const plainPayloadSize = 512;
/** The size that passes networks without fragmentation (DNS Flag Day 2020, RFC 9715). */
const udpPayloadSize = 1232;

/** The largest answer by UDP that a query allows, in bytes. */
export function payloadLimit(edns: boolean): number {
  return edns ? udpPayloadSize : plainPayloadSize;
}

/** A recursive query in class IN. With `edns` it allows answers of 1,232 bytes by UDP (RFC 6891). */
export function encodeQuery(name: string, type: QueryType, edns: boolean): Query {
  // Loaded for the first query: a process that asks no DNS would pay for it at its start. What fails here is tried again by the next one.
  const { encode, RECURSION_DESIRED } = load();
  const bytes = encode({
    type: "query",
    id: randomInt(0x1_0000),
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: "IN" }],
    additionals: edns
      ? [{ type: "OPT", name: ".", udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]
      : [],
  });
  return { name, type, edns, bytes };
}

/**
 * Reads a message as the reply to `query`. Returns a string with the reason when it is not: another id, another question, a query, or bytes
 * that are no message. Such a message is to be ignored, since it may be forged.
 */
export function readReply(message: Buffer, query: Query): Reply | string {
  if (message.length < headerLength) return "shorter than a header";
  if (message.readUInt16BE(0) !== query.bytes.readUInt16BE(0)) return "another id";
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) === 0) return "a query";
  const rcode = flags & 0xf;
  const isFormError = rcode === 1;
  // A server that cannot read the question cannot repeat it.
  if (isFormError && message.readUInt16BE(4) === 0) return { rcode, truncated: false, packet: undefined, length: message.length };
  if (!repeatsQuestion(message, query)) return "another question";
  // Checked before the rest is decoded, which may end in the middle of a record.
  if ((flags & 0x0200) !== 0) return { rcode, truncated: true, packet: undefined, length: message.length };
  try {
    const { decode } = load();
    const packet = decode(message);
    // The package reads addresses beyond the end, and ignores their encoded length: then the number of bytes differs.
    if (decode.bytes !== message.length) return "not a DNS message";
    return { rcode: extendedRcode(packet, rcode), truncated: false, packet, length: message.length };
  } catch {
    return "not a DNS message";
  }
}

/** Compares bytes: the question comes first in a message, so its name is never compressed. */
function repeatsQuestion(message: Buffer, query: Query): boolean {
  if (message.readUInt16BE(4) !== 1) return false;
  const end = headerLength + query.name.length + 2 + 4;
  const fold = (bytes: Buffer) => bytes.toString("latin1", headerLength, end).toLowerCase();
  return message.length >= end && fold(message) === fold(query.bytes);
}

function extendedRcode(packet: DecodedPacket, rcode: number): number {
  const opt = packet.additionals?.find((record) => record.type === "OPT");
  return opt?.type === "OPT" ? opt.extendedRcode * 16 + rcode : rcode;
}

const rcodeNames: Readonly<Record<number, string>> = {
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
  9: "NOTAUTH",
  16: "BADVERS",
  23: "BADCOOKIE",
};

/** The name of a response code, as `dig` writes it. */
export function rcodeName(rcode: number): string {
  return rcodeNames[rcode] ?? `RCODE${rcode}`;
}
