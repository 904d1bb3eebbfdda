import { randomInt } from "node:crypto";
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from "dns-packet";

/** The record types that the mesh asks for. */
export type QueryType = "A" | "AAAA" | "SRV";

/** A question ready to be sent. */
export interface Query {
  readonly name: string;
  readonly type: QueryType;
  /** The message as it goes out, with an id that can't be guessed. */
  readonly bytes: Buffer;
}

/** An answer that fits its query. */
export interface Reply {
  /** 0 = NOERROR; with the upper bits that EDNS adds. */
  readonly rcode: number;
  /** The server had more to say than fits a datagram. The packet is undefined then. */
  readonly truncated: boolean;
  readonly packet: DecodedPacket | undefined;
}

const headerLength = 12;
/** What passes every network unfragmented (DNS Flag Day 2020, RFC 9715). */
const udpPayloadSize = 1232;

/** A recursive question in class IN; with `edns` it allows answers of 1,232 bytes by UDP (RFC 6891). */
export function encodeQuery(name: string, type: QueryType, edns: boolean): Query {
  const bytes = encode({
    type: "query",
    id: randomInt(0x1_0000),
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: "IN" }],
    additionals: edns
      ? [{ type: "OPT", name: ".", udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]
      : [],
  });
  return { name, type, bytes };
}

/**
 * Reads a message as the answer to `query`. A string says why it is not: another id, another question, a query, or bytes
 * that are no message. Those are to be ignored, since they may come from someone who only guesses.
 */
export function readReply(message: Buffer, query: Query): Reply | string {
  if (message.length < headerLength) return "shorter than a header";
  if (message.readUInt16BE(0) !== query.bytes.readUInt16BE(0)) return "another id";
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) === 0) return "a query";
  const rcode = flags & 0xf;
  const isFormError = rcode === 1;
  // A server that can't read the question can't repeat it.
  if (isFormError && message.readUInt16BE(4) === 0) return { rcode, truncated: false, packet: undefined };
  if (!repeatsQuestion(message, query)) return "another question";
  // Looked at before the rest is read, which may stop in the middle of a record.
  if ((flags & 0x0200) !== 0) return { rcode, truncated: true, packet: undefined };
  try {
    const packet = decode(message);
    // It reads addresses beyond the end, and by their usual length whatever length is written: then the sum is wrong.
    if (decode.bytes !== message.length) return "not a DNS message";
    return { rcode: extendedRcode(packet, rcode), truncated: false, packet };
  } catch {
    return "not a DNS message";
  }
}

/** Compared as bytes: a question is the first thing in a message, so its name is never compressed. */
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
