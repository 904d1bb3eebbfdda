import type { Upstream } from "../../core/upstream.ts";
import type { TrackRecord } from "../learning/track-record.ts";
import type { PickerView } from "../picker.ts";
import type { Shares } from "./adaptive-shares.ts";
import { maxScanned, maxShared, type Survey, type SurveyedPick } from "./adaptive-survey.ts";

/** The candidates that one of `list` is compared with: the whole list, or so many of a long one; only itself where there is no list. */
export function comparedWith(upstream: Upstream, list: readonly Upstream[] = [upstream]): readonly Upstream[] {
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
    const counted = isMild ? ((survey.records[at] as TrackRecord).slowness?.mildAt(ratio, pick.now) ?? 1) : ratio;
    survey.expect(at, counted, pick.now);
  }
  survey.compare(upstreams, pick.failureWeight);
}

/** The cost of one candidate of a survey that has been judged, term by term: (`latencyMs` + `waitingMs`) × `load` + `penaltyMs`. */
export function costOf(survey: Survey, at: number): Record<string, number> {
  const [cost, latencyMs, load] = [survey.costs[at] as number, survey.plainMs[at] as number, survey.loads[at] as number];
  const expectedMs = survey.expectedMs[at] as number;
  return {
    cost,
    latencyMs,
    waitingMs: expectedMs - latencyMs,
    load,
    penaltyMs: cost - expectedMs * load,
    failureRatio: survey.rates[at] as number,
  };
}

/** The figures of one candidate of a survey that has been judged, for `mesh.explain`. */
export function viewOf(survey: Survey, upstreams: readonly Upstream[], at: number, shares: Shares, avoided: string): PickerView {
  return {
    ...costOf(survey, at),
    waiting: (survey.records[at] as TrackRecord).waiting,
    meant: shares.meant(upstreams, survey, at),
    ...(avoided !== "" && { avoided }),
  };
}

/** The times from which an avoided candidate is tried: with a method that is safe, and with another. */
export interface NextTries {
  readonly safe: number;
  readonly other: number;
}

/** Whether a candidate costs so much more than the best that it gets tries only; one that is a little worse gets less. */
export function isAvoided(survey: Survey, at: number): boolean {
  return (survey.ratios[at] as number) > maxShared;
}

/** The trouble with a candidate, in words; empty without any. `where`: on which routes it fails. */
export function troubleOf(survey: Survey, at: number, where = ""): string {
  const record = survey.records[at] as TrackRecord;
  const reasons: string[] = [];
  if ((survey.blames[at] as number) > 0) reasons.push(`fails ${Math.round(100 * (survey.rates[at] as number))} %${where}`);
  if (record.isSuspect) reasons.push("one wait was beyond chance");
  else if ((survey.slowness[at] as number) > maxShared)
    reasons.push(`${(survey.slowness[at] as number).toFixed(1)} times slower than the fastest`);
  return reasons.join(", ");
}

/** When an avoided candidate is tried next, in words. */
export function nextTryIn({ safe, other }: NextTries, now: number): string {
  const [first, later] = [inSeconds(safe - now), inSeconds(other - now)];
  return first === later ? `next try ${first}` : `next try ${first}, ${later} with a method that is not safe`;
}

function inSeconds(ms: number): string {
  return ms > 0 ? `in ${Math.ceil(ms / 1_000)} s` : "now";
}
