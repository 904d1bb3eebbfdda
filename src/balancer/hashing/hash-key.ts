import type { MeshRequest } from "../../core/dispatch.ts";
import { checkText } from "../../core/settings/checks.ts";

/** The key of a request, by which pickers that hash choose the instance; `undefined` when it has none. */
export type HashKey = (request: MeshRequest) => string | undefined;

/**
 * Keys requests by the value of a header: `headerKey("x-user")`. A request without the header, or with an empty value, has no key.
 * @param name the header's name, in any case
 * @throws TypeError when the name is not a string or empty
 */
export function headerKey(name: string): HashKey {
  checkText("headerKey: name", name ?? null);
  const lowerCase = name.toLowerCase();
  return ({ headers }) => headers[lowerCase] || undefined;
}

/**
 * Keys requests by the value of a cookie in the `cookie` header (RFC 6265): `cookieKey("session")`. A request without the cookie, or
 * with an empty value, has no key.
 * @param name the cookie's name, case-sensitive
 * @throws TypeError when the name is not a string or empty
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
