import type { Clock, Random } from "../core/clock.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { Send, Stage } from "../core/stages/stage.ts";
import type { CompiledRule } from "./compiled-rule.ts";

/** The parts that the stages of rules are built from. */
export interface RuleStageParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the events that a stage reports. */
  readonly events: EventSink;
  /** Sends a request to the service that it names. */
  readonly send: Send;
}

/** Builds what a rule does to its calls beside its decision, such as copies of them; `undefined` where the rule has nothing of it. Built once for a rule. */
export type RuleStage = (rule: CompiledRule, parts: RuleStageParts) => Stage | undefined;

/** All of them, the outermost first. They see a call as its rule has changed it, and stand around direct answers, too. */
const ruleStages: readonly RuleStage[] = [];

/** The stages of a rule, the outermost first. */
export function stagesOf(rule: CompiledRule, parts: RuleStageParts): readonly Stage[] {
  return ruleStages.flatMap((build) => build(rule, parts) ?? []);
}
