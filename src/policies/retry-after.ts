const longestMs = 60_000;
const digits = /^\d{1,12}$/;
const imfFixdate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The wait that a `Retry-After` header asks for, in milliseconds (RFC 9110 §10.2.3): seconds or an IMF-fixdate, the latter
 * against the response's own `Date`, since the clocks of two machines differ. `undefined` for anything else. At most one
 * minute: a hostile value must not park a service.
 */
export function parseRetryAfter(value: string | undefined, date: string | undefined, wallNowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (digits.test(value)) return Math.min(Number(value) * 1_000, longestMs);
  if (!imfFixdate.test(value)) return undefined;
  const serverNow = date !== undefined && imfFixdate.test(date) ? Date.parse(date) : wallNowMs;
  const waitMs = Date.parse(value) - serverNow;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestMs);
}
