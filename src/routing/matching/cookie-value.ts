/** The value of a cookie in the `cookie` header (RFC 6265 §4.2), without regard to quotes; `undefined` where there is none of this name. */
export function cookieValue(cookies: string | undefined, name: string): string | undefined {
  if (cookies === undefined) return undefined;
  const start = `${name}=`;
  for (const part of cookies.split(";")) {
    const pair = part.trim();
    if (pair.startsWith(start)) return pair.slice(start.length);
  }
  return undefined;
}
