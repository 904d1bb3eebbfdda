import { isObject } from "./option-reader.ts";
import type { ConfigData } from "./read-config.ts";

/** An option that two configurations have otherwise. */
export interface ConfigDifference {
  /** `services.orders.retry.maxAttempts` */
  readonly option: string;
  /** `undefined` where it is not there. */
  readonly before: unknown;
  readonly after: unknown;
}

/** The options that differ, in the order of the second configuration, those that are gone last. Lists are compared as a whole. */
export function compareConfigs(before: ConfigData, after: ConfigData): readonly ConfigDifference[] {
  return differencesIn("", before, after);
}

function differencesIn(prefix: string, before: ConfigData, after: ConfigData): readonly ConfigDifference[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) => {
    const [one, other] = [before[name], after[name]];
    const option = `${prefix}${name}`;
    if (isObject(one) && isObject(other)) return differencesIn(`${option}.`, one, other);
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ option, before: one, after: other }];
  });
}
