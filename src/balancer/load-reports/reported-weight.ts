import type { LoadReport } from "./load-report.ts";

/** The parameters of gRFC A58, in milliseconds where they are times. */
export interface ReportedWeightOptions {
  readonly blackoutMs: number;
  readonly expirationMs: number;
  readonly errorUtilizationPenalty: number;
}

/**
 * State of the reports of an instance. `none`: there has been no usable report. `blackout`: the instance has not reported for long
 * enough. `reported`: its weight is used. `expired`: its last report is too old.
 */
export type ReportState = "none" | "blackout" | "reported" | "expired";

/** The highest weight that an instance may claim: sums of ten thousand of them stay exact enough. */
const maxReported = 1e12;

/** The weight of one instance by its own reports (gRFC A58): requests per second / (utilization + error rate × penalty). */
export class ReportedWeight {
  #weight = 0;
  /** Time of the first report since the last expiry. */
  #since = Number.POSITIVE_INFINITY;
  /** Time of the last report. */
  #at = Number.NEGATIVE_INFINITY;
  /** Number of refused reports. */
  malformed = 0;

  /** Takes a report at `now`; a report without requests or without utilization is ignored. */
  take(report: LoadReport, now: number, { expirationMs, errorUtilizationPenalty }: ReportedWeightOptions): void {
    const { rps, eps, applicationUtilization, cpuUtilization } = report;
    const utilization = applicationUtilization > 0 ? applicationUtilization : cpuUtilization;
    if (!(utilization > 0 && rps > 0)) return;
    const weight = rps / (utilization + (eps / rps) * errorUtilizationPenalty);
    // An enormous error rate makes the weight 0, which would stand for an unknown weight.
    if (!(weight > 0)) return;
    if (!(now - this.#at < expirationMs)) this.#since = now;
    this.#at = now;
    this.#weight = Math.min(weight, maxReported);
  }

  /** The weight at `now`; 0 while it is not to be used. */
  at(now: number, options: ReportedWeightOptions): number {
    return this.state(now, options) === "reported" ? this.#weight : 0;
  }

  state(now: number, { blackoutMs, expirationMs }: ReportedWeightOptions): ReportState {
    if (this.#at === Number.NEGATIVE_INFINITY) return "none";
    if (!(now - this.#at < expirationMs)) return "expired";
    return now - this.#since < blackoutMs ? "blackout" : "reported";
  }
}
