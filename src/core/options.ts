/** How an option's value is written in an error message. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * Checks a number that an option gave.
 * @throws TypeError when it is no number, RangeError when it is out of range; both name the option and the value.
 */
export function checkNumber(option: string, value: number | undefined, min: number, max: number = Number.POSITIVE_INFINITY): void {
  if (value === undefined) return;
  if (typeof value !== "number" || Number.isNaN(value)) throw new TypeError(`${option} must be a number, not ${shown(value)}`);
  if (value < min || value > max) {
    throw new RangeError(
      `${option} must be ${max === Number.POSITIVE_INFINITY ? `at least ${min}` : `from ${min} to ${max}`}, not ${value}`,
    );
  }
}

/**
 * Checks that an options object has no key but the allowed ones: a misspelt option must not be silently ignored.
 * @throws TypeError naming the option and the allowed ones.
 */
export function checkKeys(where: string, options: object, allowed: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) throw new TypeError(`${where} has no option ${shown(key)}; it has ${allowed.join(", ")}`);
  }
}

/**
 * Checks that an option is one of a few words.
 * @throws TypeError naming the option, the value and the words.
 */
export function checkChoice(option: string, value: string | undefined, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value))
    throw new TypeError(`${option} must be one of ${choices.map(shown).join(", ")}, not ${shown(value)}`);
}
