/** Options are not nested more deeply; an object of code may contain itself. */
const maxDepth = 16;

/**
 * Whether two values of options say the same: plain objects and arrays by their parts, where `undefined` is the same as absent; all else by identity, such as
 * functions and what code has made.
 */
export function equalValues(one: unknown, other: unknown, depth: number = maxDepth): boolean {
  if (Object.is(one, other)) return true;
  if (depth === 0) return false;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((element, index) => equalValues(element, other[index], depth - 1));
  if (!isPlain(one) || !isPlain(other)) return false;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => equalValues(one[name], other[name], depth - 1));
}

/** Whether a value is an object of data, and not one of a class. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
