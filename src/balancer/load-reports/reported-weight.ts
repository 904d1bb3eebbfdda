import type { LoadReport } from "./load-report.ts";

/** The times and the constant of gRFC A58. */
export interface ReportedWeightOptions {
  readonly blackoutMs: number;
  readonly expirationMs: number;
  readonly errorUtilizationPenalty: number;
}

/** Where an instance stands: nothing usable was reported yet, not for long enough, or not lately. */
export type ReportState = "none" | "blackout" | "reported" | "expired";

/** The most that an instance may claim: sums of ten thousand of them stay exact enough. */
const maxReported = 1e12;

/** The weight of one instance by its own reports (gRFC A58): requests per second / (utilization + error rate × penalty). */
export class ReportedWeight {
  #weight = 0;
  /** When the first of the reports came that have come without a pause since. */
  #since = Number.POSITIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;
  /** Reports that could not be read. */
  malformed = 0;

  /** Takes a report at `now`, or leaves it out when it has no load in it. */
  take(report: LoadReport, now: number, { expirationMs, errorUtilizationPenalty }: ReportedWeightOptions): void {
    const { rps, eps, applicationUtilization, cpuUtilization } = report;
    const utilization = applicationUtilization > 0 ? applicationUtilization : cpuUtilization;
    if (!(utilization > 0 && rps > 0)) return;
    const weight = rps / (utilization + (eps / rps) * errorUtilizationPenalty);
    // An error rate beyond all measure makes it 0, which would mean that nothing is known.
    if (!(weight > 0)) return;
    if (!(now - this.#at < expirationMs)) this.#since = now;
    this.#at = now;
    this.#weight = Math.min(weight, maxReported);
  }

  /** 0 while there is none to go by. */
  at(now: number, options: ReportedWeightOptions): number {
    return this.state(now, options) === "reported" ? this.#weight : 0;
  }

  state(now: number, { blackoutMs, expirationMs }: ReportedWeightOptions): ReportState {
    if (this.#at === Number.NEGATIVE_INFINITY) return "none";
    if (!(now - this.#at < expirationMs)) return "expired";
    return now - this.#since < blackoutMs ? "blackout" : "reported";
  }
}
