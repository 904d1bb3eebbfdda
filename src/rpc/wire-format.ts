import { Buffer } from "node:buffer";

/** A number in the wire format of Protocol Buffers, and the place behind it. */
export interface Varint {
  readonly value: number;
  readonly next: number;
}

/** The number of at most 32 bits at a place; `undefined` where none is, or it is cut off. */
export function varintAt(bytes: Uint8Array, start: number): Varint | undefined {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value: value >>> 0, next: start + index + 1 };
  }
  return undefined;
}

/** A field with a length: its tag, the length, and the bytes. */
export function delimited(tag: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = bytes.byteLength;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}
