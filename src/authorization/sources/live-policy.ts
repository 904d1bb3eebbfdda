import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { warnOfThrow } from "../../core/observing/fence.ts";
import { CompiledPolicy } from "../compiled-policy.ts";
import type { Policy } from "../policy.ts";
import { readAside } from "../text/policy-thread.ts";
import { checkPolicy } from "../text/read-policy.ts";
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
      else this.#take(new CompiledPolicy(checkPolicy(given, name)));
    } catch (error) {
      this.#say(name, error);
    }
  }

  #read(name: string, text: string): void {
    const reading = new AbortController();
    const policy = readAside(text, name, this.#clock, reading.signal);
    if (!(policy instanceof Promise)) {
      this.#take(new CompiledPolicy(policy));
      return;
    }
    this.#reading = reading;
    policy
      .then((read) => {
        if (!reading.signal.aborted) this.#take(new CompiledPolicy(read));
      })
      .catch((error: unknown) => {
        if (!reading.signal.aborted) this.#say(name, error);
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
