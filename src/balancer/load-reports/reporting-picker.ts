import type { Picker } from "../picker.ts";

/** A picker that reads the load reports of the instances. */
export interface ReportingPicker extends Picker {
  /** Reports that could not be read or that nobody can mean, of all services of this picker. */
  readonly malformedReports: number;
}
