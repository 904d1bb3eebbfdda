import type { TokenPlace } from "./token-verifier.ts";

/** The place of the token in a request, as options have it. */
export type TokenPlaceOption = "bearer" | { readonly header: string } | { readonly cookie: string } | { readonly query: string };

const headerName = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * The place that an option means.
 * @throws TypeError naming the option.
 */
export function placeOf(option: string, given: unknown): TokenPlace {
  if (given === "bearer") return { kind: "bearer" };
  const [[kind, name] = [], ...more] = typeof given === "object" && given !== null ? Object.entries(given) : [];
  if (more.length === 0 && typeof name === "string" && headerName.test(name)) {
    if (kind === "header") return { kind, name: name.toLowerCase() };
    if (kind === "cookie" || kind === "query") return { kind, name };
  }
  throw new TypeError(`${option} must be "bearer", { header }, { cookie } or { query } with a name`);
}
