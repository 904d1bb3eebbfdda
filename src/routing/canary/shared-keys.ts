import type { Route } from "../route.ts";

/**
 * Checks that there is a state for the canaries that several processes decide on together: one that decided alone without a word would be worse than none.
 * @throws TypeError naming the rule.
 */
export function checkSharedKeys(option: string, routes: readonly Route[], hasState: boolean): void {
  if (hasState) return;
  const index = routes.findIndex(({ split }) => split?.canary?.sharedKey !== undefined);
  if (index === -1) return;
  throw new TypeError(
    `${option}[${index}].split.canary.sharedKey needs canaryState, in which several processes take one decision, such as consul({ … }).canaryState()`,
  );
}
