import type { RequestBody } from "../core/http/body.ts";

/** A whole request body as text; empty when there is none. A stream is read to its end. */
export async function textOf(body: RequestBody): Promise<string> {
  if (body === undefined) return "";
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  if (body instanceof Blob) return body.text();
  const chunks: Uint8Array[] = [];
  for await (const chunk of typeof body === "function" ? body() : body) chunks.push(Buffer.from(chunk as string));
  return Buffer.concat(chunks).toString();
}
