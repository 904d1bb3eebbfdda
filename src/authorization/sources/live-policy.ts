import { describeError } from "../../core/errors.ts";
import { warnOfThrow } from "../../core/observing/fence.ts";
import { CompiledPolicy } from "../compiled-policy.ts";
import type { Policy } from "../policy.ts";
import { checkPolicy, parsePolicy } from "../text/read-policy.ts";
import type { DecidingPolicy, PolicySource, PolicyWatch } from "./policy-source.ts";

/** The policy in force: the last good one that its source had. */
export class LivePolicy {
  #current: DecidingPolicy | undefined;
  #watch: PolicyWatch | undefined = undefined;
  #isClosed = false;
  /** The fault that was said last: one that stays is said once. */
  #said = "";

  constructor(first: Policy | undefined) {
    this.#current = first === undefined ? undefined : new CompiledPolicy(first);
  }

  /** `undefined` while there has been none. */
  get current(): DecidingPolicy | undefined {
    return this.#current;
  }

  /** Follows a source. What a source of the program throws ends nothing, and changes no policy. */
  follow(source: PolicySource): void {
    try {
      this.#watch = source.watch({
        update: (policy) => this.#update(source.name, policy),
        fail: (error) => this.#say(source.name, error),
      });
    } catch (error) {
      warnOfThrow(`the policy source ${source.name}`, error);
    }
  }

  close(): void {
    this.#isClosed = true;
    try {
      this.#watch?.close();
    } catch (error) {
      warnOfThrow("close() of a policy source", error);
    }
    this.#watch = undefined;
  }

  #update(name: string, given: string | Policy | DecidingPolicy): void {
    if (this.#isClosed) return;
    try {
      if (typeof given === "object" && given !== null && "decide" in given) this.#current = given;
      else this.#current = new CompiledPolicy(typeof given === "string" ? parsePolicy(given, name) : checkPolicy(given, name));
      this.#said = "";
    } catch (error) {
      this.#say(name, error);
    }
  }

  #say(name: string, error: unknown): void {
    const problem = describeError(error);
    if (this.#isClosed || problem === this.#said) return;
    this.#said = problem;
    const effect = this.#current === undefined ? "every request is refused until there is one" : "the last good policy stays in force";
    process.emitWarning(`${problem.includes(name) ? problem : `${name}: ${problem}`}; ${effect}`, "MeshPolicyWarning");
  }
}
