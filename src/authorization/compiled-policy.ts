import { resultOf, type Steps } from "../core/json/steps.ts";
import type { Caller } from "../core/peers/caller.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { Policy, PolicyRule } from "./policy.ts";
import type { AuthorizationRequest } from "./request.ts";
import { RuleIndex } from "./rule-index.ts";

/** The decision on one request. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that has decided; `undefined` where none has matched, so that the request is denied. */
  readonly ruleId: string | undefined;
  readonly reason: "a rule allows it" | "a rule denies it" | "no rule allows it";
  /** Ids of the `audit` rules that match. */
  readonly audits: readonly string[];
}

const noAudits: readonly string[] = [];
const noRule: Decision = { allowed: false, ruleId: undefined, reason: "no rule allows it", audits: noAudits };

/**
 * A policy that is ready to decide. The first rule that denies decides, else the first that allows; what no rule allows is denied. It looks only at rules of
 * the caller, path and method of a request, so that others cost nothing.
 */
export class CompiledPolicy {
  readonly dryRun: boolean;
  /** Ids of its rules, in their order. */
  readonly ruleIds: readonly string[];
  readonly #decisive = new RuleIndex();
  #auditing: RuleIndex | undefined = undefined;
  readonly #decisions = new Map<string, Decision>();
  // What is asked for, while it is: no closure is made for a decision.
  #request: AuthorizationRequest | undefined = undefined;
  #caller: Caller | undefined = undefined;
  #nowMs = 0;
  #best: CompiledRule | undefined = undefined;
  #audits: string[] | undefined = undefined;

  /** `policy` has been checked, by `checkPolicy` or `parsePolicy`. `run` runs the work, which is done when it has ended. */
  constructor({ rules, dryRun = false }: Policy, run: (work: Steps) => void = resultOf) {
    this.dryRun = dryRun;
    this.ruleIds = rules.map(({ id }) => id);
    run(this.#fill(rules));
  }

  /** Makes one in steps: ten thousand rules take a tenth of a second. */
  static *compiling(policy: Policy): Steps<CompiledPolicy> {
    let filling: Steps | undefined;
    const made = new CompiledPolicy(policy, (work) => {
      filling = work;
    });
    if (filling !== undefined) yield* filling;
    return made;
  }

  *#fill(rules: readonly PolicyRule[]): Steps {
    const of = (wanted: string) => rules.filter(({ action }) => action === wanted);
    const audits = of("audit");
    yield* this.#decisive.fill([...of("deny"), ...of("allow")]);
    if (audits.length > 0) {
      this.#auditing = new RuleIndex();
      yield* this.#auditing.fill(audits);
    }
    for (const { id, action } of rules)
      this.#decisions.set(id, {
        allowed: action === "allow",
        ruleId: id,
        reason: action === "allow" ? "a rule allows it" : "a rule denies it",
        audits: noAudits,
      });
  }

  /** `nowMs`: the time of day, in milliseconds since 1970. Never throws for any request. */
  decide(request: AuthorizationRequest, caller: Caller, nowMs: number): Decision {
    const { method, path } = request;
    const { identity } = caller;
    this.#request = request;
    this.#caller = caller;
    this.#nowMs = nowMs;
    this.#best = undefined;
    this.#decisive.visit(identity, method, path, this.#consider);
    const best = this.#best as CompiledRule | undefined;
    const decision = best === undefined ? noRule : (this.#decisions.get(best.id) ?? noRule);
    if (this.#auditing === undefined) return decision;
    this.#audits = undefined;
    this.#auditing.visit(identity, method, path, this.#collect);
    const audits = this.#audits as string[] | undefined;
    return audits === undefined ? decision : { ...decision, audits };
  }

  readonly #consider = (rules: readonly CompiledRule[]): void => {
    for (const rule of rules) {
      if (this.#best !== undefined && rule.rank >= this.#best.rank) return;
      if (rule.holds(this.#request as AuthorizationRequest, this.#caller as Caller, this.#nowMs)) {
        this.#best = rule;
        return;
      }
    }
  };

  readonly #collect = (rules: readonly CompiledRule[]): void => {
    for (const rule of rules) {
      if (!rule.holds(this.#request as AuthorizationRequest, this.#caller as Caller, this.#nowMs)) continue;
      this.#audits ??= [];
      if (!this.#audits.includes(rule.id)) this.#audits.push(rule.id);
    }
  };
}
