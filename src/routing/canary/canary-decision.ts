import type { CanaryPhase } from "../../core/observing/routes/canary-reading.ts";

/** The decision on a canary that is in force. */
export interface CanaryDecision {
  readonly state: CanaryPhase;
  /** The place of its step. */
  readonly step: number;
  /** Beginning of the step, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The reason, in words. */
  readonly why: string;
  /** The number of times that it was begun anew: counts of an earlier run say nothing of this one. */
  readonly run: number;
}

const phases: readonly unknown[] = ["stepping", "holding", "rolled-back", "finished"] satisfies readonly CanaryPhase[];

/** The decision in a text of a shared state; `undefined` for anything else. */
export function readDecision(text: string, steps: number): CanaryDecision | undefined {
  let value: Partial<Record<keyof CanaryDecision, unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { state, step, sinceMs, why, run } = value;
  if (!phases.includes(state) || !Number.isInteger(step) || (step as number) < 0 || (step as number) >= steps) return undefined;
  if (typeof sinceMs !== "number" || typeof why !== "string" || !Number.isSafeInteger(run)) return undefined;
  return { state: state as CanaryPhase, step: step as number, sinceMs, why, run: run as number };
}

/** The share of the canary by a decision, 0 to 1. */
export function shareBy({ state, step }: CanaryDecision, shares: readonly number[]): number {
  if (state === "rolled-back") return 0;
  return state === "finished" ? 1 : (shares[step] as number);
}

/** Whether nothing more is decided by itself. */
export function isSettled({ state }: CanaryDecision): boolean {
  return state === "rolled-back" || state === "finished";
}
