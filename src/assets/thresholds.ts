/** What alerts are measured against. */
export interface Thresholds {
  /** The share of calls that is to succeed, from 0.95 to 0.99999. Default: 0.999. */
  readonly objective?: number | undefined;
  /** Milliseconds within which 99 % of the calls that succeed are to end. Default: 500. */
  readonly latencyObjectiveMs?: number | undefined;
  /** Calls per second below which a service is too quiet for shares and percentiles to say anything. Default: 0.1. */
  readonly minCallsPerSecond?: number | undefined;
  /** Milliseconds after which discovery's answer counts as stale: more than the longest pause of the source. Default: 300 000. */
  readonly discoveryMaxAgeMs?: number | undefined;
  /** Milliseconds before its end at which a client certificate is to have been renewed. Default: 604 800 000, seven days. */
  readonly certificateWarningMs?: number | undefined;
}

/** {@link Thresholds} with nothing missing. */
export type AllThresholds = { readonly [Name in keyof Thresholds]-?: NonNullable<Thresholds[Name]> };

/** The defaults. */
export const defaultThresholds: AllThresholds = {
  objective: 0.999,
  latencyObjectiveMs: 500,
  minCallsPerSecond: 0.1,
  discoveryMaxAgeMs: 300_000,
  certificateWarningMs: 7 * 24 * 3_600_000,
};
