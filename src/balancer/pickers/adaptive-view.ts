import type { Upstream } from "../../core/upstream.ts";
import type { TrackRecord } from "../learning/track-record.ts";
import type { PickerView } from "../picker.ts";
import type { Shares } from "./adaptive-shares.ts";
import { maxScanned, maxShared, type Survey, type SurveyedPick } from "./adaptive-survey.ts";

/** The candidates that one of `list` is compared with: the whole list, or so many of a long one; only itself where the list is empty. */
export function comparedWith(upstream: Upstream, list: readonly Upstream[]): readonly Upstream[] {
  if (list.length === 0) return [upstream];
  if (list.length <= maxScanned) return list;
  const first = list.slice(0, maxScanned).filter((other) => other !== upstream);
  return [upstream, ...first.slice(0, maxScanned - 1)];
}

/** Judges all candidates of a survey that has been read, as a pick does, without counting them as looked at. */
export function judgeAll(survey: Survey, upstreams: readonly Upstream[], pick: SurveyedPick): void {
  for (let at = 0; at < survey.count; at++) {
    survey.judge(at, pick);
    const ratio = survey.slowness[at] as number;
    const isMild = ratio > 1 && ratio <= maxShared && survey.blames[at] === 0;
    const counts = !isMild || (survey.records[at] as TrackRecord).slowness?.wasMild(pick.now) === true;
    survey.expect(at, counts ? ratio : 1, pick.now);
  }
  survey.compare(upstreams, pick.failureWeight);
}

/** The figures of one candidate of a survey that has been judged: the cost with its terms, the shares, and why it is avoided. */
export function viewOf(
  survey: Survey,
  upstreams: readonly Upstream[],
  at: number,
  shares: Shares,
  share: number,
  avoided: string,
): PickerView {
  const record = survey.records[at] as TrackRecord;
  const [latencyMs, load, cost] = [survey.expectedMs[at] as number, survey.loads[at] as number, survey.costs[at] as number];
  return {
    cost,
    latencyMs,
    load,
    penaltyMs: cost - latencyMs * load,
    failureRatio: survey.rates[at] as number,
    waiting: record.waiting,
    share,
    meant: shares.meant(upstreams, survey, at),
    ...(avoided !== "" && { avoided }),
  };
}

/** Why a candidate is avoided and when it is tried next, in words; empty when it is not. */
export function avoidedBecause(survey: Survey, at: number, tryAt: { readonly safe: number; readonly other: number }, now: number): string {
  const record = survey.records[at] as TrackRecord;
  const reasons: string[] = [];
  if ((survey.blames[at] as number) > 0) reasons.push(`fails ${Math.round(100 * (survey.rates[at] as number))} %`);
  if (!Number.isNaN(record.slowness?.suspectSince ?? Number.NaN)) reasons.push("one wait was beyond chance");
  else if ((survey.slowness[at] as number) > maxShared)
    reasons.push(`${(survey.slowness[at] as number).toFixed(1)} times slower than the fastest`);
  if (reasons.length === 0) return "";
  const [safe, other] = [inSeconds(tryAt.safe - now), inSeconds(tryAt.other - now)];
  const next = safe === other ? `next try ${safe}` : `next try ${safe}, ${other} with a method that is not safe`;
  return `${reasons.join(", ")}; ${next}`;
}

function inSeconds(ms: number): string {
  return ms > 0 ? `in ${Math.ceil(ms / 1_000)} s` : "now";
}
