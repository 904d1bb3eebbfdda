import type { Random } from "../core/clock.ts";
import { keyShare } from "./actions/weighted-choice.ts";
import { servicesOf } from "./checks/check-routes.ts";
import { type CompiledRule, compileRule, type Decision, type LiveWeightsOf, type RuleMatch } from "./compiled-rule.ts";
import type { Condition } from "./matching/condition.ts";
import { MatchIndex } from "./matching/match-index.ts";
import { type RoutableRequest, RoutedCall } from "./matching/routed-call.ts";
import type { Route } from "./route.ts";

/** A rule that does not match a call, and the first condition of each of its matches that does not hold. */
export interface UnmatchedRule {
  readonly rule: CompiledRule;
  readonly failed: readonly Condition[];
}

/** Rules in their order, found by an index: the first that matches a call decides on it. */
export class RouteTable {
  readonly rules: readonly CompiledRule[];
  /** The services that rules send calls to. */
  readonly services: ReadonlySet<string>;
  readonly #index = new MatchIndex<RuleMatch>();
  readonly #call = new RoutedCall();
  readonly #search = new FirstMatch(this.#call);

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    this.services = new Set(rules.flatMap(({ route }) => servicesOf(route).map(([, service]) => service)));
    for (const each of rules.flatMap(({ matches }) => matches)) this.#index.add(each, each.match);
  }

  /** Decides on a call; `undefined` where no rule matches. */
  decide(request: RoutableRequest, random: Random = Math.random): Decision | undefined {
    const call = this.#call;
    call.begin(request, random);
    try {
      const found = this.#search.in(this.#index);
      if (found === undefined) return undefined;
      if (found.only !== undefined) return found.only;
      const { choice, key, live } = found.rule;
      if (choice === undefined) return found.decisions[0];
      if (live !== undefined) choice.use(live.weights);
      return found.decisions[choice.at(keyShare(key?.(call)) ?? random())];
    } finally {
      call.end();
    }
  }

  /** The rule that a call comes to; `undefined` where none matches. */
  ruleOf(request: RoutableRequest): CompiledRule | undefined {
    this.#call.begin(request);
    try {
      return this.#search.in(this.#index)?.rule;
    } finally {
      this.#call.end();
    }
  }

  /** Where the key of a call is in a split by keys, from 0 to below 1; `undefined` where it has none. */
  keyShareOf({ key }: CompiledRule, request: RoutableRequest): number | undefined {
    if (key === undefined) return undefined;
    const call = new RoutedCall();
    call.begin(request);
    return keyShare(key(call));
  }

  /** The place of the target that a call with this key goes to; `undefined` where chance decides. */
  targetOf({ choice, live }: CompiledRule, key: number | undefined): number | undefined {
    if (choice === undefined) return 0;
    if (live !== undefined) choice.use(live.weights);
    return key === undefined ? undefined : choice.at(key);
  }

  /** Looks at the rules one after the other, for explanations: the first that matches, and those before it. */
  explain(request: RoutableRequest): { readonly matched: RuleMatch | undefined; readonly before: readonly UnmatchedRule[] } {
    const call = new RoutedCall();
    call.begin(request);
    const before: UnmatchedRule[] = [];
    for (const rule of this.rules) {
      const failed = rule.matches.map(({ match }) => match.conditions.find((condition) => !condition.holds(call)));
      const matched = rule.matches[failed.indexOf(undefined)];
      if (matched !== undefined) return { matched, before };
      before.push({ rule, failed: failed.filter((each) => each !== undefined) });
    }
    return { matched: undefined, before };
  }
}

/** Finds the match of the least rank among those that an index tells of. */
class FirstMatch {
  readonly #call: RoutedCall;
  #found: RuleMatch | undefined = undefined;

  constructor(call: RoutedCall) {
    this.#call = call;
  }

  in(index: MatchIndex<RuleMatch>): RuleMatch | undefined {
    this.#found = undefined;
    index.find(this.#call, this);
    return this.#found;
  }

  visit(entries: readonly RuleMatch[]): void {
    const best = this.#found?.rank ?? Number.POSITIVE_INFINITY;
    for (const entry of entries) {
      if (entry.rank >= best) return;
      if (entry.rest === undefined || holds(entry.rest, this.#call)) {
        this.#found = entry;
        return;
      }
    }
  }
}

function holds(conditions: readonly Condition[], call: RoutedCall): boolean {
  for (const condition of conditions) if (!condition.holds(call)) return false;
  return true;
}

/**
 * Compiles routes that have been checked.
 * @throws Error for a wrong template, pattern or range.
 */
export function compileRoutes(routes: readonly Route[], liveWeightsOf?: LiveWeightsOf): RouteTable {
  let rank = 0;
  const rules = routes.map((route, index) => {
    const rule = compileRule(route, index, rank, liveWeightsOf);
    rank += rule.matches.length;
    return rule;
  });
  return new RouteTable(rules);
}
