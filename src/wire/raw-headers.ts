import type { Buffer } from "node:buffer";
import { isResponseHeaderOfTheMesh } from "../core/http/own-headers.ts";

/** Headers as they come: bytes from undici, text from node:http2. Names and values in turn. */
export type RawHeaders = readonly (Buffer | string)[];

/**
 * Decodes raw headers: names in lower case and values in turn, without those that end here (`x-mesh-refused`, `x-mesh-instance`), which
 * {@link findHeader} finds.
 */
export function decodeHeaders(raw: RawHeaders): string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    // Latin-1, as in the Fetch standard's byte strings.
    const name = textOf(raw[index] as Buffer | string).toLowerCase();
    if (!isResponseHeaderOfTheMesh(name)) lines.push(name, textOf(raw[index + 1] as Buffer | string));
  }
  return lines;
}

function textOf(raw: Buffer | string): string {
  return typeof raw === "string" ? raw : raw.toString("latin1");
}

/** The value of one raw header. Decoding all headers to find it would cost more than the rest of the head. */
export function findHeader(raw: RawHeaders, name: string): string | undefined {
  for (let index = 0; index < raw.length; index += 2) {
    const found = raw[index] as Buffer | string;
    if (found.length === name.length && textOf(found).toLowerCase() === name) return textOf(raw[index + 1] as Buffer | string);
  }
  return undefined;
}

/** The trailers of a response without any, as nearly all are. */
export const noTrailers: readonly string[] = [];

/** Decodes trailers: undici passes those of HTTP/1.1 raw, and those of HTTP/2 as an object of node:http2. */
export function decodeTrailers(trailers: unknown): readonly string[] {
  if (Array.isArray(trailers)) return trailers.length === 0 ? noTrailers : decodeHeaders(trailers as Buffer[]);
  if (typeof trailers !== "object" || trailers === null) return noTrailers;
  const lines: string[] = [];
  for (const [name, value] of Object.entries(trailers)) {
    if (name.startsWith(":") || isResponseHeaderOfTheMesh(name)) continue;
    if (typeof value === "string") lines.push(name, value);
    else for (const each of [value].flat()) lines.push(name, String(each));
  }
  return lines;
}
