import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import { warnOfThrow } from "../../core/observing/fence.ts";
import { CompiledPolicy } from "../compiled-policy.ts";
import type { Policy } from "../policy.ts";
import { readAside } from "../text/policy-thread.ts";
import { checkingPolicy, checkPolicy } from "../text/read-policy.ts";

/** Rules that are read at once. */
const maxAtOnce = 100;

import type { DecidingPolicy, PolicySource, PolicyWatch } from "./policy-source.ts";

/** The policy in force: the last good one that its source had. */
export class LivePolicy {
  #current: DecidingPolicy | undefined;
  #watch: PolicyWatch | undefined = undefined;
  #isClosed = false;
  readonly #clock: Clock;
  /** Ends the reading of a text that is under way: a newer one has come. */
  #reading: AbortController | undefined = undefined;
  /** The fault that was said last: one that stays is said once. */
  #said = "";

  constructor(first: Policy | undefined, clock: Clock) {
    this.#clock = clock;
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
    this.#reading?.abort();
    try {
      this.#watch?.close();
    } catch (error) {
      warnOfThrow("close() of a policy source", error);
    }
    this.#watch = undefined;
  }

  #update(name: string, given: string | Policy | DecidingPolicy): void {
    if (this.#isClosed) return;
    this.#reading?.abort();
    this.#reading = undefined;
    try {
      if (typeof given === "object" && given !== null && "decide" in given) this.#take(given);
      else if (typeof given === "string") this.#read(name, given);
      else this.#check(name, given);
    } catch (error) {
      this.#say(name, error);
    }
  }

  #read(name: string, text: string): void {
    const reading = new AbortController();
    const policy = readAside(text, name, this.#clock, reading.signal);
    if (policy instanceof Promise) this.#takeLater(name, reading, policy);
    else this.#take(new CompiledPolicy(policy));
  }

  /** A policy of a program is data of that program, and as long as it wants. */
  #check(name: string, policy: Policy): void {
    if (!(policy?.rules?.length > maxAtOnce)) {
      this.#take(new CompiledPolicy(checkPolicy(policy, name)));
      return;
    }
    const reading = new AbortController();
    this.#takeLater(name, reading, inTurns(checkingPolicy(policy, name), reading.signal));
  }

  /** Takes a long policy when it is ready, unless a newer one has come. */
  #takeLater(name: string, reading: AbortController, policy: Promise<Policy>): void {
    const { signal } = reading;
    this.#reading = reading;
    policy
      .then((read) => inTurns(CompiledPolicy.compiling(read), signal))
      .then((compiled) => {
        if (!signal.aborted) this.#take(compiled);
      })
      .catch((error: unknown) => {
        if (!signal.aborted) this.#say(name, error);
      });
  }

  #take(policy: DecidingPolicy): void {
    this.#current = policy;
    this.#said = "";
  }

  #say(name: string, error: unknown): void {
    const problem = describeError(error);
    if (this.#isClosed || problem === this.#said) return;
    this.#said = problem;
    const effect = this.#current === undefined ? "every request is refused until there is one" : "the last good policy stays in force";
    process.emitWarning(`${problem.includes(name) ? problem : `${name}: ${problem}`}; ${effect}`, "MeshPolicyWarning");
  }
}
