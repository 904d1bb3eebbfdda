import { UsageError } from "./usage-error.ts";

const units: ReadonlyMap<string, number> = new Map([
  ["", 1_000],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const dayMs = 86_400_000;

/**
 * Parses `500ms`, `2.5s`, `1m` or, as in curl, a bare number of seconds. The result is in milliseconds.
 * @throws UsageError naming the option.
 */
export function readDuration(option: string, text: string, maxMs: number = dayMs): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text) ?? [];
  const ms = number === undefined ? Number.NaN : Number(number) * (units.get(unit) ?? Number.NaN);
  if (!(ms > 0 && ms <= maxMs)) throw new UsageError(`--${option} must be a time such as 500ms, 2s or 1m, not ${JSON.stringify(text)}`);
  return ms;
}

/**
 * Parses the whole number of an option.
 * @throws UsageError naming the option.
 */
export function readWhole(option: string, text: string, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max))
    throw new UsageError(`--${option} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  return number;
}

/**
 * Parses the number of an option.
 * @throws UsageError naming the option.
 */
export function readNumber(option: string, text: string): number {
  if (!/^\d{1,9}(?:\.\d+)?$/.test(text)) throw new UsageError(`--${option} must be a number, not ${JSON.stringify(text)}`);
  return Number(text);
}
