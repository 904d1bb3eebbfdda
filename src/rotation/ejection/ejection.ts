/** The rules that the sweep applies, and the share of a service that may be out; `ejection` in the options. */
export interface EjectionOptions {
  /** The time between two sweeps, whose outcomes a sweep judges, in milliseconds; there are sweeps only while something fails. @default 10000 */
  readonly intervalMs?: number;
  /** The length of the first ejection, in milliseconds, ± 20 %; each further one is twice as long as the last. @default 30000 */
  readonly baseEjectionMs?: number;
  /** The longest ejection before it is varied, in milliseconds. @default 300000 */
  readonly maxEjectionMs?: number;
  /**
   * The percentage of the reachable instances that may be out for their answers, or for the lack of them. Of two or more instances one
   * always may. @default 50
   */
  readonly maxEjectionPercent?: number;
  /** Instances whose success rate is far below the mean; `false` = not judged by it. */
  readonly successRate?: SuccessRateOptions | false;
  /** Instances that fail nearly always; `false` = not judged by it. */
  readonly failurePercentage?: FailurePercentageOptions | false;
}

/** Envoy's and gRPC's (gRFC A50) success-rate rule: below the mean by more than a number of standard deviations. */
export interface SuccessRateOptions {
  /** The number of standard deviations. @default 1.9 */
  readonly deviations?: number;
  /** Instances with fewer outcomes in a sweep are not looked at. @default 100 */
  readonly minCalls?: number;
  /** With fewer instances to look at none is judged: of four none can be 1.9 deviations off. @default 5 */
  readonly minInstances?: number;
}

/** Envoy's and gRPC's (gRFC A50) failure-percentage rule, with a comparison where they ask for five instances. */
export interface FailurePercentageOptions {
  /** The percentage of failures from which an instance is out, provided that the others together fail less than half as often. @default 85 */
  readonly threshold?: number;
  /** Instances with fewer outcomes in a sweep are not looked at. @default 50 */
  readonly minCalls?: number;
  /** With fewer instances to look at none is judged. @default 2 */
  readonly minInstances?: number;
}

/** How often an instance answered and failed in one sweep. */
export interface OutcomeCounts {
  readonly calls: number;
  readonly failures: number;
}
