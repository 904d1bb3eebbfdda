import type { Clock, Random } from "../core/clock.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { Send, Stage } from "../core/stages/stage.ts";
import { subsetOf } from "./actions/subset-of.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { faultStage } from "./fault.ts";
import type { SentCopies } from "./mirror/copy.ts";
import { mirrorStage } from "./mirror/mirror.ts";
import type { RouteMirror } from "./route.ts";

/** The parts that the stages of rules are built from. */
export interface RuleStageParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the events that a stage reports. */
  readonly events: EventSink;
  /** Sends a request to the service that it names. */
  readonly send: Send;
  readonly copies: SentCopies;
}

/** Builds what a rule does to its calls beside its decision, such as copies of them; `undefined` where the rule has nothing of it. Built once for a rule. */
export type RuleStage = (rule: CompiledRule, parts: RuleStageParts) => Stage | undefined;

/** All of them, the outermost first. They see a call as its rule has changed it, and stand around direct answers, too. */
const ruleStages: readonly RuleStage[] = [
  // Above the copies, as in Envoy: a call that a fault ends was not sent, and is not copied.
  ({ name, route: { fault } }, parts) => (fault === undefined ? undefined : faultStage(fault, { ...parts, rule: name })),
  mirrors,
];

/** An answer of the mesh itself is not copied: no instance has got the call. */
function mirrors({ name, route }: CompiledRule, { copies, ...parts }: RuleStageParts): Stage | undefined {
  const { mirror, respond, redirect } = route;
  if (mirror === undefined || respond !== undefined || redirect !== undefined) return undefined;
  const compiled = [mirror].flat().map((each: RouteMirror) => ({
    mirror: each,
    subset: each.subset === undefined ? undefined : subsetOf(each.subset),
  }));
  return mirrorStage(compiled, { ...parts, ...copies, rule: name });
}

/** The stages of a rule, the outermost first. A connection that changes its protocol is not copied. */
export function stagesOf(rule: CompiledRule, parts: RuleStageParts, isUpgrade: boolean): readonly Stage[] {
  return ruleStages.filter((build) => !(isUpgrade && build === mirrors)).flatMap((build) => build(rule, parts) ?? []);
}
