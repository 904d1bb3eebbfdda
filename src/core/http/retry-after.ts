import { parseHttpDate } from "./http-date.ts";
import { type HeaderLines, headerOf } from "./response-headers.ts";

const longestMs = 60_000;
const digits = /^\d+$/;

/**
 * The wait that a `Retry-After` header asks for, in milliseconds (RFC 9110 §10.2.3), at most one minute, since a hostile value must not
 * stop a service. It is a number of seconds or an HTTP-date, which is compared with the `Date` of the same response, since the clocks of two
 * machines differ. `undefined` for any other value.
 */
export function parseRetryAfter(value: string | undefined, date: string | undefined, wallNowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (digits.test(value)) return Math.min(Number(value) * 1_000, longestMs);
  const until = parseHttpDate(value, wallNowMs);
  if (until === undefined) return undefined;
  const serverNow = parseHttpDate(date, wallNowMs) ?? wallNowMs;
  return Math.min(Math.max(until - serverNow, 0), longestMs);
}

/** The wait that a response asks for by `Retry-After`, in milliseconds; `undefined` where it asks for none. */
export function retryAfterOf(response: HeaderLines, wallNowMs: number): number | undefined {
  const value = headerOf(response, "retry-after");
  return value === undefined ? undefined : parseRetryAfter(value, headerOf(response, "date"), wallNowMs);
}
