import type { MeshRequest } from "../../core/dispatch.ts";
import { isRetryableMethod } from "../../core/outcome.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { PickRate } from "../learning/pick-rate.ts";
import type { RetriesSeen } from "../learning/retries-seen.ts";
import type { TrackRecord } from "../learning/track-record.ts";
import type { Survey, SurveyedPick } from "./adaptive-survey.ts";
import type { NextTries } from "./adaptive-view.ts";

/** Part of the picks that may be tries of avoided instances, and the most tries that are saved up. */
const tryPart = 0.02;
const maxTries = 2;
/** An avoided instance is tried no sooner than after this many times the mean time between two picks of each; one that mends, sooner. */
const tryGap = 3;
const mendingGap = 1.5;
/** An instance that is slower by no more than this loses no request that it is tried with. */
const harmlessRatio = 3;

/** Decides when the avoided candidates of a picker are tried. */
export class Tries {
  readonly #rate: PickRate;
  readonly #retries: RetriesSeen;
  #left = maxTries;

  constructor(rate: PickRate, retries: RetriesSeen) {
    this.#rate = rate;
    this.#retries = retries;
  }

  /** A pick begins. */
  save(): void {
    this.#left = Math.min(maxTries, this.#left + tryPart);
  }

  /** Whether an avoided candidate is to be tried with this request, which is then counted as a try. */
  isDue(survey: Survey, at: number, pick: SurveyedPick, upstream: Upstream, request: MeshRequest): boolean {
    const record = survey.records[at] as TrackRecord;
    const isMending = isMendingOn(record, pick.route);
    if (upstream.inFlight > 0 || !(isMending || this.#left >= 1)) return false;
    if (pick.now < this.#at(survey, at, pick.route, this.#retries.areOn && isSafe(request))) return false;
    if (!isMending) this.#left--;
    record.triedAt = pick.now;
    return true;
  }

  /**
   * The candidate that is tried in place of the cheapest one, which is to blame for failures and was picked because all that are well are busier:
   * the avoided one that was left alone for longest. It costs nothing, since the request would fail most probably.
   */
  insteadOf(cheapest: number, survey: Survey, { now }: SurveyedPick, upstreams: readonly Upstream[]): number {
    let longest = cheapest;
    let triedAt = now - tryGap * survey.fairMs;
    for (let at = 0; at < survey.count; at++) {
      const record = survey.records[at] as TrackRecord;
      if (!record.isInTrouble || record.triedAt >= triedAt || (upstreams[survey.indexes[at] as number] as Upstream).inFlight > 0) continue;
      triedAt = record.triedAt;
      longest = at;
    }
    (survey.records[longest] as TrackRecord).triedAt = now;
    return longest;
  }

  /** The times from which an avoided candidate may be tried. */
  next(survey: Survey, at: number, { route }: SurveyedPick): NextTries {
    return { safe: this.#at(survey, at, route, this.#retries.areOn), other: this.#at(survey, at, route, false) };
  }

  /** The time from which an avoided candidate may be tried; `isRepeated`: a retry makes up for a failure. */
  #at(survey: Survey, at: number, route: number, isRepeated: boolean): number {
    const record = survey.records[at] as TrackRecord;
    const { failures, slowness, triedAt, lowRun } = record;
    // Mean time between two picks of each candidate.
    const { fairMs } = survey;
    const avoidedSince = slowness?.avoidedSince ?? Number.NaN;
    const gap = (isMendingOn(record, route) ? mendingGap : tryGap) * fairMs;
    const lastAt = Math.max(triedAt, failures.lastFailedAt);
    const afterFailures = Math.max(lastAt + gap, failures.tryAt(route, isRepeated, this.#rate.perMs, avoidedSince));
    if (slowness === undefined || Number.isNaN(avoidedSince) || lowRun > 0) return afterFailures;
    const isHarmless = failures.isClean && (survey.slowness[at] as number) < harmlessRatio;
    return Math.max(afterFailures, slowness.tryAt(isRepeated || isHarmless, triedAt, fairMs));
  }
}

/** An instance that has just answered well is no risk: the rest of the proof costs no try. */
function isMendingOn({ failures, lowRun }: TrackRecord, route: number): boolean {
  return lowRun > 0 || failures.isMending(route);
}

/** Whether a retry may repeat the request, whatever has become of it. */
export function isSafe({ method }: MeshRequest): boolean {
  return isRetryableMethod(method, "safe");
}
