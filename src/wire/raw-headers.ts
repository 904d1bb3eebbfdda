import type { Buffer } from "node:buffer";
import { isResponseHeaderOfTheMesh } from "../core/http/own-headers.ts";

/**
 * Decodes raw headers of undici: names in lower case and values in turn, without those that end here (`x-mesh-refused`, `x-mesh-instance`), which
 * {@link findHeader} finds.
 */
export function decodeHeaders(raw: readonly Buffer[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    // Latin-1, as in the Fetch standard's byte strings.
    const name = (raw[index] as Buffer).toString("latin1").toLowerCase();
    if (!isResponseHeaderOfTheMesh(name)) lines.push(name, (raw[index + 1] as Buffer).toString("latin1"));
  }
  return lines;
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
  const entries = Object.entries(trailers).filter(([name]) => !name.startsWith(":") && !isResponseHeaderOfTheMesh(name));
  return entries.flatMap(([name, value]) => [value].flat().flatMap((each) => [name, String(each)]));
}
