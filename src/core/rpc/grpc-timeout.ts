/** The units of `grpc-timeout`, in milliseconds. */
const units: Readonly<Partial<Record<string, number>>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The most that the eight digits of the format hold. */
const mostDigits = 99_999_999;

/**
 * A `grpc-timeout` in milliseconds: at most eight digits and a unit. `undefined` for every other text, so that a server does not guess how long its
 * caller waits.
 */
export function readGrpcTimeout(text: string): number | undefined {
  const unit = units[text.slice(-1)];
  const digits = text.slice(0, -1);
  return unit !== undefined && /^\d{1,8}$/.test(digits) ? Number(digits) * unit : undefined;
}

/** Milliseconds as a `grpc-timeout`: in the finest unit from milliseconds up that has room for them, rounded up, and 0 for a time that has passed. */
export function writeGrpcTimeout(ms: number): string {
  if (!(ms > 0)) return "0m";
  if (ms <= mostDigits) return `${Math.ceil(ms)}m`;
  if (ms / 1_000 <= mostDigits) return `${Math.ceil(ms / 1_000)}S`;
  return ms / 60_000 <= mostDigits ? `${Math.ceil(ms / 60_000)}M` : `${Math.min(mostDigits, Math.ceil(ms / 3_600_000))}H`;
}

/** A `connect-timeout-ms` in milliseconds: at most ten digits; `undefined` for every other text. */
export function readConnectTimeout(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The most that the ten digits of the format hold. */
const mostMs = 9_999_999_999;

/** Milliseconds as a `connect-timeout-ms`. */
export function writeConnectTimeout(ms: number): string {
  return String(ms > 0 ? Math.min(mostMs, Math.ceil(ms)) : 0);
}
