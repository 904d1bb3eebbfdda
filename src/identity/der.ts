/** One value of DER (X.690): its tag, and where its content and the whole of it lie in the bytes. */
export interface DerValue {
  readonly tag: number;
  /** The first byte of the tag. */
  readonly at: number;
  /** The first byte of the content. */
  readonly start: number;
  /** The byte behind the content. */
  readonly end: number;
}

/** Bytes that are no DER. */
export class DerError extends Error {}

/**
 * Reads the value at `at`. Lengths of another than the shortest form, indefinite ones and tags of several bytes are refused: DER has one encoding for
 * each value, and no certificate needs the others.
 * @throws DerError
 */
export function readDer(bytes: Uint8Array, at: number, limit: number): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (at + 2 > limit || tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError("a value of DER is cut off");
  let start = at + 2;
  let length = first;
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4 || start + count > limit) throw new DerError("a length of DER is too large");
    length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + (bytes[start++] as number);
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError("a length is not in the form of DER");
  } else if (first === 0x80) throw new DerError("an indefinite length is no DER");
  if (start + length > limit) throw new DerError("a value of DER is longer than what holds it");
  return { tag, at, start, end: start + length };
}

/**
 * The values inside of a value, in their order.
 * @throws DerError
 */
export function childrenOf(bytes: Uint8Array, { start, end }: Pick<DerValue, "start" | "end">): DerValue[] {
  const values: DerValue[] = [];
  for (let at = start; at < end; ) {
    const value = readDer(bytes, at, end);
    values.push(value);
    at = value.end;
  }
  return values;
}

/** The content of a value. */
export function contentOf(bytes: Uint8Array, { start, end }: DerValue): Uint8Array {
  return bytes.subarray(start, end);
}
