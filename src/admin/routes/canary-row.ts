import type { CanaryReading } from "../../core/observing/routes/canary-reading.ts";
import { shownText } from "../shown-text.ts";

/** A split with a canary: a {@link CanaryReading} as JSON has it, with `null` for what there is none of. */
export interface CanaryRow extends Omit<CanaryReading, "service" | "sharedBy" | "stateError"> {
  /** The service of the canary, or of the first call by its rule; `null` before that. */
  readonly service: string | null;
  /** The name of the state by which several processes take one decision; `null`: this process decides alone. */
  readonly sharedBy: string | null;
  /** The error of the shared state; `null` where it answers, or there is none. */
  readonly stateError: string | null;
}

/** A canary as plain data. */
export function canaryRow({ service, why, sharedBy, stateError, ...reading }: CanaryReading): CanaryRow {
  return {
    ...reading,
    service: service === "" ? null : service,
    why: shownText(why),
    sharedBy: sharedBy === undefined ? null : shownText(sharedBy),
    stateError: stateError === undefined ? null : shownText(stateError),
  };
}
