/** Headers whose values are no secrets, in any company. */
const harmless: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-length",
  "content-type",
  "date",
  "expect",
  "host",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "origin",
  "pragma",
  "prefer",
  "range",
  "te",
  "traceparent",
  "user-agent",
  "x-correlation-id",
  "x-request-id",
]);

/** Whether the value of a header may be shown: each company has names of its own for those with secrets. */
export function isShownHeader(name: string): boolean {
  return harmless.has(name.toLowerCase());
}

/** Whether the value of a header is probably a secret, which must not be shown wherever else it occurs. */
export function looksSecret(name: string): boolean {
  return !isShownHeader(name) && /auth|cookie|token|key|secret|passw|session|credential|signature|jwt|bearer/i.test(name);
}

/**
 * Whether a header gives access, or says which caller it is: what looks like a secret, and the identity that a proxy in front has verified. A receiver that
 * believes the header must get it of no copy.
 */
export function carriesCredentials(name: string): boolean {
  return looksSecret(name) || /cert|ssl-client|assertion|(?:remote|forwarded|authenticated|verified)-(?:user|email|identity)/i.test(name);
}
