import { inspect } from "node:util";

/** Refuses a wrong option, naming it and its value. */
export function refuse(option: string, value: unknown, mustBe: string): never {
  throw new TypeError(`consul: option "${option}" must be ${mustBe}, got ${inspect(value, { depth: 0, maxStringLength: 60 })}`);
}

/** Refuses keys that no option has: a misspelt option would be silently ignored otherwise. */
export function checkKeys(where: string, options: object, known: ReadonlySet<string>): void {
  for (const key of Object.keys(options)) {
    if (!known.has(key)) throw new TypeError(`consul: unknown option "${where}${key}"; there are ${[...known].join(", ")}`);
  }
}

/** `value` as a number from `min` to `max`. */
export function checkNumber(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw new RangeError(
      `consul: option "${option}" must be a number from ${min} to ${max}, got ${inspect(value, { depth: 0, maxStringLength: 60 })}`,
    );
  }
  return value;
}

/** `value` as a string that is not empty, or `undefined` when it is not given. */
export function checkText(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") refuse(option, value, "a string that is not empty");
  return value;
}

/** `value` as a boolean. */
export function checkFlag(option: string, value: unknown): boolean {
  if (typeof value !== "boolean") refuse(option, value, "true or false");
  return value;
}
