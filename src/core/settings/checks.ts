import { quoted } from "../text/clean-text.ts";

/** The longest delay of a timer, in milliseconds (24.8 days): Node fires a longer one at once. */
export const maxTimerMs: number = 2 ** 31 - 1;

/**
 * Refuses an option: `consul: tags must be an array of strings, not 5`.
 * @throws TypeError naming the option, its type and the value. Not for options whose value may be a secret.
 */
export function refuseOption(option: string, value: unknown, mustBe: string): never {
  throw new TypeError(`${option} must be ${mustBe}, not ${shown(value)}`);
}

/**
 * Checks that an option is a number in a range.
 * @throws TypeError when it is no number, RangeError when it is out of range; both name the option and the value.
 */
export function checkNumber(option: string, value: unknown, min: number, max: number = Number.POSITIVE_INFINITY): void {
  if (value === undefined) return;
  if (typeof value !== "number" || Number.isNaN(value)) refuseOption(option, value, "a number");
  if (value < min || value > max) {
    throw new RangeError(
      `${option} must be ${max === Number.POSITIVE_INFINITY ? `at least ${min}` : `from ${min} to ${max}`}, not ${value}`,
    );
  }
}

/**
 * Checks that an option is a whole number in a range.
 * @throws TypeError when it is no number, RangeError when it is out of range or not whole; both name the option and the value.
 */
export function checkInteger(option: string, value: unknown, min: number, max?: number): void {
  checkNumber(option, value, min, max);
  if (value !== undefined && !Number.isInteger(value)) throw new RangeError(`${option} must be a whole number, not ${value}`);
}

/**
 * Checks that an option is `true` or `false`.
 * @throws TypeError naming the option and the value.
 */
export function checkFlag(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") refuseOption(option, value, "true or false");
}

/**
 * Checks that an option is a string that is not empty.
 * @throws TypeError naming the option and the value.
 */
export function checkText(option: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) refuseOption(option, value, "a string that is not empty");
}

/**
 * Checks that an option can be called.
 * @throws TypeError naming the option and the value.
 */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") refuseOption(option, value, "a function");
}

/**
 * Checks that the value for a group of options is an object.
 * @throws TypeError naming the option and the type of the value; the text of a string, which may be a misplaced secret, is not shown.
 */
export function checkObject(option: string, value: unknown): void {
  if (value === undefined || (typeof value === "object" && value !== null && !Array.isArray(value))) return;
  const found = typeof value === "string" ? "a string" : Array.isArray(value) ? "an array" : shown(value);
  throw new TypeError(`${option} must be an object with options, not ${found}`);
}

/**
 * Checks that an object has no other keys than the allowed ones: a misspelt option is an error. `hintFor` adds to its message how an option
 * that is not allowed may have been meant.
 * @throws TypeError naming the option and the allowed ones.
 */
export function checkKeys(where: string, options: object, allowed: readonly string[], hintFor?: (key: string) => string | undefined): void {
  for (const key of Object.keys(options)) {
    if (allowed.includes(key)) continue;
    const hint = hintFor?.(key);
    throw new TypeError(`${where} has no option ${shown(key)}; it has ${allowed.join(", ")}${hint === undefined ? "" : `; ${hint}`}`);
  }
}

/**
 * Checks that an option is one of several words or numbers.
 * @throws TypeError naming the option, the value and the choices.
 */
export function checkChoice(option: string, value: unknown, choices: readonly (string | number)[]): void {
  if (value !== undefined && !choices.some((choice) => choice === value))
    refuseOption(option, value, `one of ${choices.map(shown).join(", ")}`);
}

const maxShown = 60;

/** The value of an option as error messages show it. */
function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value)) return "an object";
  const elements = value.slice(0, 5).map((element: unknown) => (Array.isArray(element) ? "an array" : shown(element)));
  return `[${elements.join(", ")}${value.length > elements.length ? ", …" : ""}]`;
}
