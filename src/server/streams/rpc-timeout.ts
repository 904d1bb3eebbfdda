/** Milliseconds of each unit that gRPC has. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** The milliseconds of a `grpc-timeout` header, rounded down; `undefined` for a value that is none. */
export function rpcTimeoutMs(value: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(value ?? "") ?? [];
  const ms = units[unit];
  return digits === undefined || ms === undefined ? undefined : Math.floor(Number(digits) * ms);
}
