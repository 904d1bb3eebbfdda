import type { Caller } from "../core/peers/caller.ts";
import { type Condition, conditionsOf, type Indexed } from "./conditions/conditions.ts";
import type { PolicyRule, RuleAction } from "./policy.ts";
import type { AuthorizationRequest } from "./request.ts";

/** A rule in the index of its policy. */
export class CompiledRule {
  readonly id: string;
  readonly action: RuleAction;
  /** Its place among all rules: the least one that matches decides, and those that deny come first. */
  readonly rank: number;
  readonly #conditions: readonly Condition[];

  constructor(rule: PolicyRule, rank: number, indexed: Indexed) {
    this.id = rule.id;
    this.action = rule.action;
    this.rank = rank;
    this.#conditions = conditionsOf(rule, indexed);
  }

  /** Whether the conditions hold that the index has not answered. */
  holds(request: AuthorizationRequest, caller: Caller, nowMs: number): boolean {
    for (const condition of this.#conditions) if (!condition(request, caller, nowMs)) return false;
    return true;
  }
}
