/**
 * Splits DER values that stand one after the other, as SPIFFE sends chains and bundles, into one `SEQUENCE` each.
 * @throws Error that says what `bytes` is, for a value that is cut off, of another type, or of a length in another form than DER's one.
 */
export function splitDer(what: string, bytes: Uint8Array): readonly Uint8Array[] {
  const values: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = endOfSequence(bytes, at);
    if (end === undefined) throw new Error(`${what} is no DER: value ${values.length + 1} is cut off or malformed`);
    values.push(bytes.subarray(at, end));
    at = end;
  }
  return values;
}

/** One DER value as PEM, with a line break at its end. */
export function pemOf(label: "CERTIFICATE" | "PRIVATE KEY" | "X509 CRL", der: Uint8Array): string {
  const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${text.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}

/** Where the `SEQUENCE` at `start` ends; `undefined` where there is none, or not all of it. */
function endOfSequence(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start + 1];
  if (bytes[start] !== 0x30 || first === undefined) return undefined;
  if (first < 0x80) return within(bytes, start + 2 + first);
  const count = first & 0x7f;
  // Four bytes count more than a message may have. No bytes would be the indefinite length, which DER does not have.
  if (count === 0 || count > 4 || bytes[start + 2] === 0) return undefined;
  let length = 0;
  for (let index = 0; index < count; index++) length = length * 256 + (bytes[start + 2 + index] ?? 0);
  return length < 0x80 ? undefined : within(bytes, start + 2 + count + length);
}

function within(bytes: Uint8Array, end: number): number | undefined {
  return end <= bytes.length ? end : undefined;
}
