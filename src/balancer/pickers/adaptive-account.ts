import type { Upstream } from "../../core/upstream.ts";
import type { ComparedUpstream, PickAccount } from "../picker.ts";
import type { Shares } from "./adaptive-shares.ts";
import type { Survey } from "./adaptive-survey.ts";
import { costOf, isAvoided, troubleOf } from "./adaptive-view.ts";

/** How a pick was decided; numbers, since each pick notes one. */
export const decidedBy = { try: 0, slow: 1, shares: 2 } as const;

/** One of {@link decidedBy}. */
export type DecidedBy = (typeof decidedBy)[keyof typeof decidedBy];

/** The pick that a survey was made for. */
export interface SurveyedDecision {
  readonly upstreams: readonly Upstream[];
  readonly picked: Upstream;
  readonly by: DecidedBy;
  readonly now: number;
}

/**
 * Tells how the last pick was decided, from the figures that it has left in its survey. `undefined` where the survey is of another pick, as in a
 * picker that a program has made of this one.
 */
export function accountOf(survey: Survey, shares: Shares, decision: SurveyedDecision): PickAccount | undefined {
  const { upstreams, picked, by, now } = decision;
  const compared: ComparedUpstream[] = [];
  let chosen = -1;
  let equals = 0;
  for (let at = 0; at < survey.count; at++) {
    const upstream = upstreams[survey.indexes[at] as number];
    if (upstream === undefined) return undefined;
    if (upstream === picked) chosen = at;
    const isOwed = by === decidedBy.shares && shares.isOwed(at);
    if (isOwed) equals++;
    const owed = shares.owed(survey, at, now) + (upstream === picked ? 1 : 0);
    const avoided = isAvoided(survey, at) ? troubleOf(survey, at) : "";
    compared.push({ upstream, figures: { ...costOf(survey, at), ...(isOwed && { owed }), ...(avoided !== "" && { avoided }) } });
  }
  if (chosen < 0) return undefined;
  return { reason: reasonOf(by, troubleOf(survey, chosen), equals), compared };
}

function reasonOf(by: DecidedBy, trouble: string, equals: number): string {
  if (by === decidedBy.try) return `a try of one that is in trouble: ${trouble}`;
  if (by === decidedBy.slow) return "the lowest cost: all that are faster are so busy that it answers sooner";
  if (equals < 2) return "the lowest cost";
  return `owed the most requests of the ${equals} that are as little busy as the one of the lowest cost`;
}
