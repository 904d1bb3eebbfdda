/** Part of the way that one outcome moves the rates: they average some hundred attempts. */
const step = 0.01;
/** The same for the outcomes after a failure, which are few: they average a dozen. */
const againStep = 0.1;
/**
 * How often attempts fail after a success, as a part of how often they fail after a failure: up to the first one, failures are the
 * instance's own, and from the second one on, chance.
 */
const ownUpTo = 0.2;
const chanceFrom = 0.35;
/** Rates below this count as 0. */
const negligible = 1e-6;

/** How failures come in all attempts of a picker: singly, at whatever instance, or at instances that do nothing but fail. */
export class FailureShare {
  /**
   * The part of the attempts that have failed of late after a success of the same instance, from 0 to 1. An instance that does nothing but
   * fail adds one.
   */
  rate = 0;
  /** The part that has failed of the attempts after a success, and of those after a failure: all, until that is known. */
  #anew = 0;
  #again = 1;

  /**
   * How far failures come by chance, from 0 to 1: 0 where an instance that has failed fails again, and 1 where a failure says little about
   * the next outcome, as the timeouts of instances that are all near their capacity.
   */
  get byChance(): number {
    if (this.#anew <= ownUpTo * this.#again) return 0;
    return Math.min(1, (this.#anew / this.#again - ownUpTo) / (chanceFrom - ownUpTo));
  }

  /**
   * Takes the outcome of an attempt.
   * @param hadFailed the attempt before it at the same instance, on the same route, had failed
   */
  observe(hasFailed: boolean, hadFailed: boolean): void {
    const isSingle = hasFailed && !hadFailed;
    this.rate = isSingle || this.rate >= negligible ? this.rate + step * ((isSingle ? 1 : 0) - this.rate) : 0;
    if (hadFailed) this.#again += againStep * ((hasFailed ? 1 : 0) - this.#again);
    else if (hasFailed || this.#anew > negligible) this.#anew += step * ((hasFailed ? 1 : 0) - this.#anew);
  }
}
