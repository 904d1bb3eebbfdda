import type { Routed, Subset } from "../core/routed.ts";
import { type CompiledChanges, compileChanges } from "./actions/header-changes.ts";
import { type Answer, directAnswer, redirectAnswer } from "./actions/made-answer.ts";
import { firstKeyReader, type KeyReader, keyReader } from "./actions/request-key.ts";
import { compilePathChange, type PathChange } from "./actions/rewritten-path.ts";
import { subsetOf } from "./actions/subset-of.ts";
import { WeightedChoice } from "./actions/weighted-choice.ts";
import type { LiveWeights } from "./canary/live-weights.ts";
import { type CompiledMatch, compileMatch } from "./matching/compiled-match.ts";
import type { Condition } from "./matching/condition.ts";
import type { Route, RouteSplit, RouteTarget, WeightedTarget } from "./route.ts";
import type { RouteMatch } from "./route-match.ts";

/** A place that a rule sends calls to. */
export interface CompiledTarget {
  /** Its place in the split. */
  readonly index: number;
  /** `undefined`: the service that was called. */
  readonly service: string | undefined;
  readonly routed: Routed;
  readonly requestHeaders: CompiledChanges | undefined;
  readonly responseHeaders: CompiledChanges | undefined;
}

/** The decision on a call: one object for a match of a rule and a target, so that a decision makes none. */
export interface Decision {
  readonly rule: CompiledRule;
  readonly match: CompiledMatch;
  readonly target: CompiledTarget;
  /** `undefined`: the path stays. */
  readonly changePath: PathChange | undefined;
  /** `undefined`: an instance answers. */
  readonly answer: Answer | undefined;
}

/** One match of a rule, in the order of the table. */
export interface RuleMatch {
  /** The place of the match in the table, which decides between several that a call fits. */
  readonly rank: number;
  /** The conditions that the index leaves; `undefined` for none. */
  readonly rest: readonly Condition[] | undefined;
  /** The decision, where the rule has one target. */
  readonly only: Decision | undefined;
  readonly rule: CompiledRule;
  readonly match: CompiledMatch;
  /** For each target of the rule. */
  readonly decisions: readonly Decision[];
}

/** A rule, ready for calls. */
export interface CompiledRule {
  readonly name: string;
  readonly route: Route;
  readonly matches: readonly RuleMatch[];
  readonly targets: readonly CompiledTarget[];
  /** Between several targets. */
  readonly choice: WeightedChoice | undefined;
  readonly key: KeyReader | undefined;
  /** Moves the weights of the split while it is in use. */
  readonly live: LiveWeights | undefined;
  readonly requestHeaders: CompiledChanges | undefined;
  readonly responseHeaders: CompiledChanges | undefined;
  /** The key for pickers, where the call has none; `undefined`: theirs. */
  readonly hashKey: KeyReader | undefined;
  /** The `host` header; `undefined`: as it came. */
  readonly host: string | undefined;
}

/** Makes the weights of a split that move by themselves; `undefined` for one whose weights stay. */
export type LiveWeightsOf = (split: RouteSplit, rule: string) => LiveWeights | undefined;

/**
 * Compiles a rule that has been checked. `index`: its place in the table; `rank`: the number of matches before it.
 * @throws Error for a wrong template, pattern or range.
 */
export function compileRule(route: Route, index: number, rank: number, liveWeightsOf?: LiveWeightsOf): CompiledRule {
  const name = route.name ?? `routes[${index}]`;
  const matches: RuleMatch[] = [];
  const targets = compileTargets(route, name);
  const rule: CompiledRule = {
    name,
    route,
    matches,
    targets,
    choice: route.split === undefined ? undefined : new WeightedChoice(route.split.targets.map(({ weight = 0 }) => weight)),
    live: route.split === undefined ? undefined : liveWeightsOf?.(route.split, name),
    key: route.split?.sticky === undefined ? undefined : keyReader(route.split.sticky),
    requestHeaders: compileChanges(route.requestHeaders),
    responseHeaders: compileChanges(route.responseHeaders),
    hashKey: route.hashKey === undefined ? undefined : firstKeyReader([route.hashKey].flat()),
    host: route.rewrite?.host,
  };
  for (const [place, match] of matchesOf(route).entries()) matches.push(compileRuleMatch(rule, match, rank + place));
  return rule;
}

/** The matches of a rule; one without any matches every call. */
export function matchesOf({ match = {} }: Route): readonly RouteMatch[] {
  return [match].flat() as readonly RouteMatch[];
}

function compileRuleMatch(rule: CompiledRule, given: RouteMatch, rank: number): RuleMatch {
  const { route } = rule;
  const match = compileMatch(given);
  const changePath = route.rewrite === undefined ? undefined : compilePathChange(route.rewrite, given.path);
  const answer = answerOf(route, given, rule.name);
  const decisions = rule.targets.map((target): Decision => Object.freeze({ rule, match, target, changePath, answer }));
  const rest = match.rest.length === 0 ? undefined : match.rest;
  return { rank, rest, only: decisions.length === 1 ? decisions[0] : undefined, rule, match, decisions };
}

function answerOf({ respond, redirect }: Route, { path }: RouteMatch, rule: string): Answer | undefined {
  if (respond !== undefined) return directAnswer(respond);
  return redirect === undefined ? undefined : redirectAnswer(redirect, path, rule);
}

function compileTargets(route: Route, rule: string): readonly CompiledTarget[] {
  if (route.split !== undefined) return route.split.targets.map((target, index) => compileTarget(route, rule, target, { target, index }));
  const target = typeof route.to === "string" ? { service: route.to } : (route.to ?? {});
  return [compileTarget(route, rule, target)];
}

function compileTarget(
  { options }: Route,
  rule: string,
  target: RouteTarget,
  split?: { readonly target: WeightedTarget; readonly index: number },
): CompiledTarget {
  const subset = target.subset === undefined ? undefined : subsetOf(target.subset);
  const name = split === undefined ? undefined : (split.target.name ?? targetName(target, subset));
  return {
    index: split?.index ?? 0,
    service: target.service,
    routed: Object.freeze({ rule, target: name, subset, options }),
    requestHeaders: compileChanges(split?.target.requestHeaders),
    responseHeaders: compileChanges(split?.target.responseHeaders),
  };
}

/** `orders (version=2)` */
export function targetName({ service }: RouteTarget, subset: Pick<Subset, "name"> | undefined): string {
  if (subset === undefined) return service ?? "the called service";
  return service === undefined ? subset.name : `${service} (${subset.name})`;
}
