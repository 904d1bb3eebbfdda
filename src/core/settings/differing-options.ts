import { equalValues, isPlain } from "./equal-values.ts";

/** Groups of options are not nested more deeply. */
const maxDepth = 8;

/**
 * The names of the options that two sets have otherwise, with the groups that they are in: `services.orders.retry.maxAttempts`. Lists, and values that code has
 * made, differ as a whole.
 */
export function differingOptions(before: object, after: object, prefix = "", depth: number = maxDepth): readonly string[] {
  const [one, other] = [before, after] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) => {
    const [was, is] = [one[name], other[name]];
    if (equalValues(was, is)) return [];
    if (depth === 0 || !isGroup(was) || !isGroup(is)) return [`${prefix}${name}`];
    return differingOptions(was, is, `${prefix}${name}.`, depth - 1);
  });
}

/** Whether a value is a group of options, and nothing that code has made. */
function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return isPlain(value) && Object.values(value).every((each) => typeof each !== "function");
}
