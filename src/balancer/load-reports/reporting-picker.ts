import type { Picker } from "../picker.ts";

/** A picker that reads the load reports of the instances. */
export interface ReportingPicker extends Picker {
  /** Number of load reports that were refused as unreadable or impossible, of all services of this picker. */
  readonly malformedReports: number;
}

/** Number of refused load reports; the pickers that {@link Picker.forService} makes out of one picker share it. */
export interface MalformedReports {
  count: number;
}
