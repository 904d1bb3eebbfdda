import type { Buffer } from "node:buffer";

/** Decodes raw headers of undici: names in lower case and values in turn. */
export function decodeHeaders(raw: readonly Buffer[]): string[] {
  // Latin-1, as in the Fetch standard's byte strings.
  return raw.map((part, index) => (index % 2 === 0 ? part.toString("latin1").toLowerCase() : part.toString("latin1")));
}

/** The value of one raw header. Decoding all headers to find it would cost more than the rest of the head. */
export function findHeader(raw: readonly Buffer[], name: string): string | undefined {
  for (let index = 0; index < raw.length; index += 2) {
    const found = raw[index] as Buffer;
    if (found.length === name.length && found.toString("latin1").toLowerCase() === name)
      return (raw[index + 1] as Buffer).toString("latin1");
  }
  return undefined;
}

/** The trailers of a response without any, as nearly all are. */
export const noTrailers: readonly string[] = [];

/** Decodes trailers: undici passes those of HTTP/1.1 raw, and those of HTTP/2 as an object of node:http2. */
export function decodeTrailers(trailers: unknown): readonly string[] {
  if (Array.isArray(trailers)) return trailers.length === 0 ? noTrailers : decodeHeaders(trailers as Buffer[]);
  if (typeof trailers !== "object" || trailers === null) return noTrailers;
  return Object.entries(trailers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, String(each)]));
}
