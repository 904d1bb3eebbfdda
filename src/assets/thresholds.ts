/** Thresholds of alerts. */
export interface Thresholds {
  /** Share of calls that should succeed, 0.95 to 0.99999. @default 0.999 */
  readonly objective?: number | undefined;
  /** Time within which 99 % of the successful calls should end, in milliseconds, 1 to 10000. @default 500 */
  readonly latencyObjectiveMs?: number | undefined;
  /** Calls per second, 0 to 1e6, below which shares and percentiles of a service raise no alert. @default 0.1 */
  readonly minCallsPerSecond?: number | undefined;
  /**
   * Age of discovery's answer above which it counts as stale, in milliseconds, 1000 or more. It should exceed the longest pause
   * between two answers of the source. @default 300000
   */
  readonly discoveryMaxAgeMs?: number | undefined;
  /**
   * Time before its expiry at which a certificate should have been renewed, in milliseconds, 1000 or more. One that is valid for a shorter time than ten times
   * this one should have been when a tenth of it is left. @default 604800000, seven days
   */
  readonly certificateWarningMs?: number | undefined;
}

/** {@link Thresholds} with the defaults filled in. */
export type AllThresholds = { readonly [Name in keyof Thresholds]-?: NonNullable<Thresholds[Name]> };

/** The defaults of {@link Thresholds}. */
export const defaultThresholds: AllThresholds = {
  objective: 0.999,
  latencyObjectiveMs: 500,
  minCallsPerSecond: 0.1,
  discoveryMaxAgeMs: 300_000,
  certificateWarningMs: 7 * 24 * 3_600_000,
};
