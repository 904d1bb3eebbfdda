import { Buffer } from "node:buffer";
import { namedPrefix, type ReportDraft, setField } from "./report-draft.ts";

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const fieldNames: ReadonlyMap<number, string> = new Map([
  [1, "cpu_utilization"],
  [6, "rps_fractional"],
  [7, "eps"],
  [9, "application_utilization"],
]);
const namedField = 8;

/** The bytes of a length-delimited field. */
interface Section {
  readonly start: number;
  readonly end: number;
}

/** Takes one field of a message; `false` ends the reading. */
type TakeField = (field: number, value: number | Section) => boolean;

/**
 * Reads an `OrcaLoadReport` in protobuf's wire format, in base64. A map is a repeated message of key (1) and value (2).
 * @returns `false` for a malformed report
 */
export function readProtobuf(text: string, draft: ReportDraft): boolean {
  const trimmed = text.trim();
  if (!base64.test(trimmed)) return false;
  const bytes = Buffer.from(trimmed, "base64");
  return eachField(bytes, { start: 0, end: bytes.length }, (field, value) => {
    const name = fieldNames.get(field);
    if (typeof value === "number") return name === undefined || setField(draft, name, value);
    if (field !== namedField) return name === undefined;
    let key = "";
    let metric = 0;
    const isWhole = eachField(bytes, value, (part, content) => {
      if (part === 1 && typeof content !== "number") key = bytes.toString("utf8", content.start, content.end);
      if (part === 2 && typeof content === "number") metric = content;
      return true;
    });
    return isWhole && setField(draft, `${namedPrefix}${key}`, metric);
  });
}

/** Calls `take` for each double and each length-delimited field; `false` as soon as `take` returns it or the bytes are no message. */
function eachField(bytes: Buffer, { start, end }: Section, take: TakeField): boolean {
  let at = start;
  const varint = (): number => {
    let number = 0;
    for (let shift = 0; shift < 70 && at < end; shift += 7) {
      const byte = bytes[at++] as number;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number;
    }
    return Number.NaN;
  };
  while (at < end) {
    const tag = varint();
    if (Number.isNaN(tag)) return false;
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        if (Number.isNaN(varint())) return false;
        break;
      case 1:
        if (at + 8 > end || !take(field, bytes.readDoubleLE(at))) return false;
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (!(at + length <= end)) return false;
        if (!take(field, { start: at, end: at + length })) return false;
        at += length;
        break;
      }
      case 5:
        at += 4;
        if (at > end) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}
