import type { CanaryPhase, CanaryReading, CanaryTargetReading } from "../../core/observing/routes/canary-reading.ts";
import { shownText } from "../shown-text.ts";

/** A split with a canary. */
export interface CanaryRow {
  /** The name of the rule. */
  readonly rule: string;
  /** The service of the canary, or of the first call by its rule; `null` before that. */
  readonly service: string | null;
  readonly state: CanaryPhase;
  /** The reason for the state, in words. */
  readonly why: string;
  /** Beginning of the step, or of the end, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The number of the step, from 1. */
  readonly step: number;
  /** The shares of all steps, in percent. */
  readonly steps: readonly number[];
  /** The share of the canary in the calls of this process, 0 to 1. */
  readonly share: number;
  readonly canary: CanaryTargetReading;
  readonly stable: CanaryTargetReading;
  /** The name of the state by which several processes take one decision; `null`: this process decides alone. */
  readonly sharedBy: string | null;
  /** The processes that counted calls of it. */
  readonly processes: number;
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
