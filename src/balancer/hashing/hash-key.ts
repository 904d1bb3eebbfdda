import type { MeshRequest } from "../../core/dispatch.ts";
import { checkText } from "../../core/options.ts";

/** The text that decides which instance a request goes to; `undefined` when the request has none. */
export type HashKey = (request: MeshRequest) => string | undefined;

/**
 * Keys requests by the value of a header, in any case: `headerKey("x-user")`. A request without it, or with an empty one,
 * has no key.
 * @throws TypeError when the name is no text
 */
export function headerKey(name: string): HashKey {
  checkText("headerKey: name", name ?? null);
  const lowerCase = name.toLowerCase();
  return ({ headers }) => headers[lowerCase] || undefined;
}

/**
 * Keys requests by the value of a cookie in the `cookie` header (RFC 6265): `cookieKey("session")`. A request without it,
 * or with an empty one, has no key.
 * @throws TypeError when the name is no text
 */
export function cookieKey(name: string): HashKey {
  checkText("cookieKey: name", name ?? null);
  const start = `${name}=`;
  return ({ headers }) => {
    for (const part of headers["cookie"]?.split(";") ?? []) {
      const pair = part.trim();
      if (pair.startsWith(start)) return pair.slice(start.length) || undefined;
    }
    return undefined;
  };
}
