/** The outcomes of one instance in a sweep. */
export interface OutcomeCounts {
  /** Attempts that were answered or failed. */
  readonly calls: number;
  /** Those of them that were failures of the instance, answers of 5xx included. */
  readonly failures: number;
}
