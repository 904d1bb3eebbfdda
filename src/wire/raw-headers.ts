import type { Buffer } from "node:buffer";

/** Raw headers as undici hands them on, decoded: names in lower case and values in turn. */
export function decodeHeaders(raw: readonly Buffer[]): string[] {
  // latin1 as in the Fetch standard's byte strings.
  return raw.map((part, index) => (index % 2 === 0 ? part.toString("latin1").toLowerCase() : part.toString("latin1")));
}

/** One header of raw ones: decoding all of them to find it would cost more than the rest of the head. */
export function findHeader(raw: readonly Buffer[], name: string): string | undefined {
  for (let index = 0; index < raw.length; index += 2) {
    const found = raw[index] as Buffer;
    if (found.length === name.length && found.toString("latin1").toLowerCase() === name)
      return (raw[index + 1] as Buffer).toString("latin1");
  }
  return undefined;
}

/** No trailers: what nearly every response has. */
export const noTrailers: readonly string[] = [];

/** HTTP/1.1 brings them raw, HTTP/2 as node:http2 has read them; there are hardly ever any. */
export function decodeTrailers(trailers: unknown): readonly string[] {
  if (Array.isArray(trailers)) return trailers.length === 0 ? noTrailers : decodeHeaders(trailers as Buffer[]);
  if (typeof trailers !== "object" || trailers === null) return noTrailers;
  return Object.entries(trailers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, String(each)]));
}
