import type { MeshResponse } from "../core/dispatch.ts";
import type { Send, Stage } from "../core/stages/stage.ts";
import type { Answer } from "./actions/made-answer.ts";
import type { CompiledRule, Decision } from "./compiled-rule.ts";
import { type RuleStageParts, stagesOf } from "./rule-stages.ts";

/** The way of each decision: through the stages of its rule, down to the services or to the answer that it makes. */
export class RuleWays {
  readonly #parts: RuleStageParts;
  readonly #stages = new WeakMap<CompiledRule, readonly Stage[]>();
  readonly #upgradeStages = new WeakMap<CompiledRule, readonly Stage[]>();
  readonly #ways = new WeakMap<Decision, Send>();

  constructor(parts: RuleStageParts) {
    this.#parts = parts;
  }

  /** The way to the services. */
  of(decision: Decision): Send {
    const known = this.#ways.get(decision);
    if (known !== undefined) return known;
    const way = wayThrough(this.#stagesOf(decision.rule, false), decision, this.#parts.send);
    this.#ways.set(decision, way);
    return way;
  }

  /** The way of an upgrade, down to `inner`. */
  around(decision: Decision, inner: Send): Send {
    return wayThrough(this.#stagesOf(decision.rule, true), decision, inner);
  }

  #stagesOf(rule: CompiledRule, isUpgrade: boolean): readonly Stage[] {
    const kept = isUpgrade ? this.#upgradeStages : this.#stages;
    const known = kept.get(rule) ?? stagesOf(rule, this.#parts, isUpgrade);
    kept.set(rule, known);
    return known;
  }
}

function wayThrough(stages: readonly Stage[], { answer }: Decision, inner: Send): Send {
  return stages.reduceRight<Send>((next, stage) => stage(next), answer === undefined ? inner : answering(answer));
}

function answering(answer: Answer): Send {
  return (request, receiver) => {
    let response: MeshResponse;
    try {
      response = answer(request);
    } catch (error) {
      receiver.failed(error);
      return;
    }
    receiver.answered(response);
  };
}
