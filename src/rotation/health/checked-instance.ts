import type { Cancellation } from "../../core/cancellation.ts";
import { describeError } from "../../core/errors.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { HealthCheckResult } from "../instance-standing.ts";
import type { HealthCheckTimingSettings } from "./health-check-options.ts";

/** An instance that is checked: its results, and whether they keep it out of rotation. */
export class CheckedInstance {
  readonly upstream: Upstream;
  /** When the next check is due, in milliseconds of the clock. */
  dueAt: number;
  /** The check under way. */
  running: Cancellation | undefined = undefined;
  /** Whether its next check is due at once. */
  hasNews = false;
  #result: HealthCheckResult | undefined = undefined;
  #isOut = false;

  constructor(upstream: Upstream, dueAt: number) {
    this.upstream = upstream;
    this.dueAt = dueAt;
  }

  /** The last result. */
  get result(): HealthCheckResult | undefined {
    return this.#result;
  }

  /** `true` while the results keep it out of rotation. */
  get isOut(): boolean {
    return this.#isOut;
  }

  /**
   * Takes the end of a check.
   * @param failure why it failed; `undefined` when it passed
   * @returns what the instance is from now on, or `undefined` when that has not changed
   */
  learn(
    failure: unknown,
    { atMs, durationMs }: Pick<HealthCheckResult, "atMs" | "durationMs">,
    { unhealthyThreshold, healthyThreshold }: Pick<HealthCheckTimingSettings, "unhealthyThreshold" | "healthyThreshold">,
  ): "healthy" | "unhealthy" | undefined {
    const passed = failure === undefined;
    const before = this.#result;
    const inRow = before?.passed === passed ? before.inRow + 1 : 1;
    this.#result = { passed, atMs, durationMs, inRow, error: passed ? undefined : describeError(failure) };
    // A new instance is used before it is checked, and has no good record to weigh against its first failure.
    const failures = before === undefined ? 1 : unhealthyThreshold;
    if (passed !== this.#isOut || inRow < (passed ? healthyThreshold : failures)) return undefined;
    this.#isOut = !passed;
    return passed ? "healthy" : "unhealthy";
  }
}
