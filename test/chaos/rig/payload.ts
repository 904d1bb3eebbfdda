import { createHash } from "node:crypto";

/** The body that belongs to a request's id, in both directions: whoever has the id can tell whether a body is whole, and whose it is. */
export function bodyFor(id: string): string {
  const digest = createHash("sha256").update(id).digest();
  return `${id} ${digest.toString("hex").repeat(1 + ((digest[0] as number) % 16))}`;
}

/** The same as an upload of about so many bytes; 0 = as it is. */
export function uploadFor(id: string, bytes: number): string {
  const body = bodyFor(id);
  return bytes <= body.length ? body : body.repeat(Math.ceil(bytes / body.length));
}
