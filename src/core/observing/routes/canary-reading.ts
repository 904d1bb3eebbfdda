/**
 * Where a canary is.
 *
 * - `stepping`: it has the share of its step, and the next one follows once there were enough calls and time.
 * - `holding`: it keeps its share: there is a suspicion, too few calls were made, or it is at its last step below 100 %.
 * - `rolled-back`: all calls go to the stable target, until the rule changes or an operator resumes it.
 * - `finished`: all calls go to it.
 */
export type CanaryPhase = "stepping" | "holding" | "rolled-back" | "finished";

/** A target of a split with a canary, and what was counted of it. */
export interface CanaryTargetReading {
  readonly target: string;
  /** Calls that have ended. */
  readonly calls: number;
  /** Calls that failed, or an attempt of which did. */
  readonly failures: number;
}

/** A split with a canary at this moment. */
export interface CanaryReading {
  /** The service of the canary, or of the first call by its rule; empty before that. */
  readonly service: string;
  /** The name of the rule. */
  readonly rule: string;
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
  readonly stable: CanaryTargetReading;
  readonly canary: CanaryTargetReading;
  /** The name of the state by which several processes take one decision; `undefined`: this process decides alone. */
  readonly sharedBy: string | undefined;
  /** The processes that counted calls of it. */
  readonly processes: number;
  /** The error of the shared state; `undefined` where it answers, or there is none. */
  readonly stateError: string | undefined;
}

/** The kinds of change of a canary that an event tells of. */
export type CanaryChange = "began" | "step" | "went-on" | "holding" | "rolled-back" | "finished" | "resumed" | "state-lost" | "state-found";
