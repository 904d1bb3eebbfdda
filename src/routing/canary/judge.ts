import { type StepCounts, totalOf } from "./canary-counts.ts";
import { type CanaryDecision, isSettled } from "./canary-decision.ts";
import type { CanarySettings } from "./canary-settings.ts";
import { type CountedEvent, evidenceOf, excessOf, failureRate, meanOfEvidence, slowRate } from "./evidence.ts";

/**
 * The probability, for each of both tests, that a canary that is no worse is ever rolled back: half a percent for both together.
 */
const falseAlarms = 1 / 400;
const proof = Math.log(1 / falseAlarms);
/** Evidence from which a canary does not get a larger share. */
const suspicion = Math.log(10);
/** Calls to the canary below which nothing is held against it. */
const leastJudged = 10;

/** A reason to go back, or to wait. */
export interface Harm {
  readonly isProved: boolean;
  readonly why: string;
}

/** The outcomes that a canary is judged by. */
export interface JudgedCounts {
  /** Those of all processes together, for each step. */
  readonly all: readonly StepCounts[];
  /**
   * Those that chance has given to their targets independently of each other: all together, or, where calls with the same key go to the same target, each
   * process by itself, since a key that fails may fail in several.
   */
  readonly groups: readonly (readonly StepCounts[])[];
}

/** The harm that the counts show; `undefined` for none. */
export function harmOf({ all, groups }: JudgedCounts, settings: CanarySettings): Harm | undefined {
  const { stable, canary } = totalOf(all);
  if (canary.calls < leastJudged) return undefined;
  const { shares, maxExtraFailures, maxSlowdown } = settings;
  const evidence = (event: CountedEvent) => meanOfEvidence(groups.map((steps) => evidenceOf(event, steps, shares)));
  const failing = evidence("counted");
  if (failing >= suspicion && excessOf(all) > maxExtraFailures) {
    const rates = `${percent(failureRate(canary))} of ${canary.calls} calls failed, ${percent(failureRate(stable))} of ${stable.calls} of the stable target`;
    return { isProved: failing >= proof, why: `${rates} (chance explains that ${oddsOf(failing)})` };
  }
  const slow = evidence("slow");
  if (slow < suspicion) return undefined;
  const part = `${percent(slowRate(canary))} of ${canary.timed} answers took more than ${maxSlowdown} times the median of the stable target`;
  return { isProved: slow >= proof, why: `${part} (chance explains that ${oddsOf(slow)})` };
}

/** The decision that follows the one in force; `undefined`: that stays. It depends on nothing else, so that every process decides the same. */
export function nextDecision(
  decision: CanaryDecision,
  counts: JudgedCounts,
  settings: CanarySettings,
  nowMs: number,
): CanaryDecision | undefined {
  if (isSettled(decision)) return undefined;
  const { shares, stepMs, minCalls } = settings;
  const { step, sinceMs } = decision;
  const harm = harmOf(counts, settings);
  if (harm?.isProved) return { ...decision, state: "rolled-back", sinceMs: nowMs, why: harm.why };
  const calls = counts.all[step]?.canary.calls ?? 0;
  const isOver = nowMs - sinceMs >= stepMs;
  if (harm !== undefined) return held(decision, `a suspicion: ${harm.why}`);
  if (step === shares.length - 1) return held(decision, `the last step, ${settings.steps[step]} %`);
  if (!isOver) return stepping(decision, `step ${step + 1} of ${shares.length}, ${settings.steps[step]} %`);
  if (calls < minCalls) return held(decision, `fewer than ${minCalls} calls to it in this step (minCalls)`);
  const next = step + 1;
  const why = `${calls} calls to it without proof of harm`;
  const isLast = (shares[next] as number) >= 1;
  return { ...decision, state: isLast ? "finished" : "stepping", step: next, sinceMs: nowMs, why };
}

function held(decision: CanaryDecision, why: string): CanaryDecision | undefined {
  // The counts in a suspicion change with every call: a decision is one for as long as its kind stays.
  return decision.state === "holding" && kindOf(decision.why) === kindOf(why) ? undefined : { ...decision, state: "holding", why };
}

function stepping(decision: CanaryDecision, why: string): CanaryDecision | undefined {
  return decision.state === "stepping" ? undefined : { ...decision, state: "stepping", why };
}

function kindOf(why: string): string {
  return why.slice(0, 11);
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}

/** `once in 1,200 such canaries at most` */
function oddsOf(evidence: number): string {
  const odds = Math.exp(Math.min(evidence, Math.log(1e9)));
  return `once in ${Math.floor(odds).toLocaleString("en")} such canaries at most`;
}
