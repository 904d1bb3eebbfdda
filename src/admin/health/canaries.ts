import type { CanaryRow } from "../routes/canary-row.ts";
import type { MeshSnapshot } from "../snapshot.ts";
import { type Health, worstFirst } from "./health.ts";
import type { StripPart } from "./own-instances.ts";

/** Health of a canary. One that keeps its last share is where its rule wants it; one that keeps an earlier one may be under suspicion. */
export function canaryHealth({ state, step, steps, stateError }: Pick<CanaryRow, "state" | "step" | "steps" | "stateError">): Health {
  if (state === "rolled-back") return "failing";
  if (stateError !== null) return "degraded";
  return state === "holding" && step < steps.length ? "degraded" : "ok";
}

/** The canaries, the worst first, those of one health by the name of their rule. */
export function canariesByHealth(canaries: readonly CanaryRow[]): readonly CanaryRow[] {
  const rank = (row: CanaryRow): number => worstFirst.indexOf(canaryHealth(row));
  return [...canaries].sort((one, other) => rank(one) - rank(other) || (one.rule < other.rule ? -1 : 1));
}

/** The ground on which a canary was judged, in a few words: `v2 3 of 400 failed, v1 2 of 4000 failed: too few calls`. */
export function evidenceText({ canary, stable, why }: Pick<CanaryRow, "canary" | "stable" | "why">): string {
  return `${countsText(canary)}, ${countsText(stable)}: ${why}`;
}

/** Calls and failures of a target: `v2 3 of 400 failed`. */
function countsText({ target, calls, failures }: CanaryRow["canary"]): string {
  return calls === 0 ? `${target} no call yet` : `${target} ${failures} of ${calls} failed`;
}

/** How many processes decide on a canary, in words. */
export function decidedText({ sharedBy, processes, stateError }: Pick<CanaryRow, "sharedBy" | "processes" | "stateError">): string {
  if (sharedBy === null) return "this process alone";
  if (stateError !== null) return `this process alone, since ${sharedBy} does not answer: ${stateError}`;
  return `${sharedBy}, with the counts of ${processes} ${processes === 1 ? "process" : "processes"}`;
}

/** The canaries in the line of a process: none where all of them are well. A process of an earlier version says nothing of them. */
export function canaryParts({ canaries = [] }: Partial<Pick<MeshSnapshot, "canaries">>): readonly StripPart[] {
  const back = canaries.filter(({ state }) => state === "rolled-back");
  if (back.length === 0) return [];
  const text = back.length === 1 ? `canary of ${back[0]?.rule} rolled back` : `${back.length} canaries rolled back`;
  return [{ health: "failing", text }];
}

/** The configuration in the line of a process, where a newer one was refused. */
export function configurationParts({ configuration }: Partial<Pick<MeshSnapshot, "configuration">>): readonly StripPart[] {
  return configuration?.refusal == null ? [] : [{ health: "degraded", text: "configuration refused" }];
}
