import type { OptionRule } from "../core/settings/option-rule.ts";
import { quoted } from "../core/text/clean-text.ts";
import { nearestName } from "../suggestions/nearest-name.ts";

/**
 * How an option that none of `tables` has was probably meant: inside of a group (`subset` of `balancing`), or by another spelling; `undefined`
 * where neither is likely.
 */
export function optionHint(unknown: string, tables: readonly { readonly rules: object }[]): string | undefined {
  const rules = new Map(tables.flatMap((table) => Object.entries<OptionRule<unknown>>(table.rules as never)));
  const groups = [...rules].filter(([, { table }]) => table !== undefined && Object.hasOwn(table.rules, unknown)).map(([name]) => name);
  if (groups.length > 0) return `${quoted(unknown)} is an option of ${groups.join(", ")}`;
  const nearest = nearestName(unknown, [...rules.keys()]);
  return nearest === undefined ? undefined : `did you mean ${quoted(nearest)}?`;
}
