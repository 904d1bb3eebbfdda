/** Part of the way that one outcome moves the rate: it averages some hundred attempts. */
const step = 0.01;

/**
 * The part of the attempts of a picker that have failed of late after a success of the same instance: failures that come singly, at
 * whatever instance. An instance that does nothing but fail adds one.
 */
export class FailureShare {
  /** From 0 to 1. */
  rate = 0;

  /** @param isSingle the attempt has failed, and the one before it had not */
  observe(isSingle: boolean): void {
    if (isSingle) this.rate += step * (1 - this.rate);
    else if (this.rate > 0) this.rate = this.rate < 1e-6 ? 0 : this.rate * (1 - step);
  }
}
