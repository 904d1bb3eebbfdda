import type { Clock, Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { isRetryableMethod } from "../../core/outcome.ts";
import type { Upstream } from "../../core/upstream.ts";
import { tolerated } from "../learning/blame.ts";
import { FailureShare } from "../learning/failure-share.ts";
import { PickRate } from "../learning/pick-rate.ts";
import { RetriesSeen } from "../learning/retries-seen.ts";
import { RouteClasses } from "../learning/route-classes.ts";
import { Slowness } from "../learning/slowness.ts";
import { AttemptOnRecord, TrackRecord, type TrackRecordOptions } from "../learning/track-record.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { leastWeight, weighList, weightOf } from "../lists/weights.ts";
import type { AttemptLearner, Picker, PickerContext, PickerView } from "../picker.ts";
import { settlePicker, sourcesOf } from "../picker-options.ts";
import { type AdaptiveOptions, type AdaptiveSettings, adaptiveOptions } from "./adaptive-options.ts";
import { Shares } from "./adaptive-shares.ts";
import { maxShared, Survey, type SurveyedPick } from "./adaptive-survey.ts";

/** Part of the picks that may be tries of avoided instances, and the most tries that are saved up. */
const tryPart = 0.02;
const maxTries = 2;
/** An avoided instance is tried no sooner than after this many times the mean time between two picks of each; one that mends, sooner. */
const tryGap = 3;
const mendingGap = 1.5;
/** An instance that is slower by no more than this loses no request that it is tried with. */
const harmlessRatio = 3;

/**
 * The candidate with the least expected cost, the default picker. The cost is latency × (requests in flight + 1 +
 * `failureWeight` × failure rate). Candidates whose latencies cannot be told apart are equals, and get the same number of requests; the
 * slower ones of those that are as little busy get less. An instance that is far slower, or fails more than the others, is avoided and
 * tried again: the sooner, the shorter it has failed and the less a failure costs.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function adaptive(options: AdaptiveOptions = {}): Picker {
  return new AdaptivePicker(settlePicker("adaptive", adaptiveOptions, options), undefined);
}

class AdaptivePicker implements Picker {
  readonly #settings: AdaptiveSettings;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #recordOptions: TrackRecordOptions;
  readonly #records: PerUpstream<TrackRecord>;
  readonly #weights = new PerList(weighList);
  readonly #routes = new RouteClasses();
  readonly #survey = new Survey();
  readonly #shares = new Shares();
  readonly #rate = new PickRate();
  readonly #retries = new RetriesSeen();
  /** The pick in hand. */
  readonly #at: { -readonly [Key in keyof SurveyedPick]: SurveyedPick[Key] };
  #tries = maxTries;

  constructor(settings: AdaptiveSettings, context: PickerContext | undefined) {
    const { decayMs, failureHalfLifeMs, failureWeight } = settings;
    const { random, clock } = sourcesOf(settings, context);
    this.#settings = settings;
    this.#random = random;
    this.#clock = clock;
    this.#recordOptions = { decayMs, failureHalfLifeMs, clock, common: new FailureShare(), retries: this.#retries };
    this.#at = { route: 0, now: Number.NaN, failureHalfLifeMs, failureWeight };
    // Clients that start together must not begin with the same instance.
    this.#records = new PerUpstream(() => new TrackRecord(random() - 0.5));
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#records.update(upstreams);
    this.#weights.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined => {
    if (upstreams.length < 2) return upstreams[0];
    const survey = this.#survey;
    const pick = this.#at;
    pick.now = this.#clock.now();
    pick.route = this.#routes.of(request);
    this.#rate.count(pick.now);
    this.#tries = Math.min(maxTries, this.#tries + tryPart);
    survey.read(upstreams, this.#records, this.#weights.of(upstreams) ?? weighList(upstreams), this.#random, pick);
    const isRetry = request.tried.length > 0;
    if (isRetry) this.#retries.retry();
    for (let at = 0; at < survey.count; at++) {
      survey.judge(at, pick);
      if (this.#look(at) && !isRetry && this.#isDue(at, upstreams[survey.indexes[at] as number] as Upstream, request)) {
        return upstreams[survey.indexes[at] as number];
      }
    }
    survey.compare(upstreams, this.#settings.failureWeight);
    // All that are faster are so busy that a slow one answers sooner.
    const { cheapest } = survey;
    if ((survey.ratios[cheapest] as number) > maxShared) return upstreams[survey.indexes[cheapest] as number];
    return this.#shares.pick(upstreams, survey, pick.now, this.#fairMs);
  };

  readonly onAttempt = (upstream: Upstream, request: MeshRequest): AttemptLearner => {
    return new AttemptOnRecord(this.#records.of(upstream), this.#routes.of(request), isSafe(request), this.#recordOptions);
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const { failureHalfLifeMs, failureWeight } = this.#settings;
    const now = this.#clock.now();
    const record = this.#records.of(upstream);
    const failureRatio = record.failures.worst(now, failureHalfLifeMs);
    const penalty = failureWeight * Math.max(0, failureRatio - tolerated);
    const factor = 1 / Math.max(weightOf(upstream), leastWeight);
    return {
      cost: (record.known ? record.meanMs : 0) * ((upstream.inFlight + 1) * factor + penalty),
      latencyMs: record.known ? record.meanMs : 0,
      failureRatio,
      waiting: record.waiting,
    };
  };

  readonly forService = (_service: string, context?: PickerContext): Picker => {
    return new AdaptivePicker(this.#settings, context);
  };

  /** Mean time between two picks of each candidate, in milliseconds. */
  get #fairMs(): number {
    return this.#survey.count / this.#rate.perMs;
  }

  /** Settles how slow a candidate counts as, and whether it is avoided. */
  #look(at: number): boolean {
    const { now, route } = this.#at;
    const record = this.#survey.records[at] as TrackRecord;
    let ratio = this.#survey.slowness[at] as number;
    const isSlow = ratio > maxShared;
    const isBlamed = (this.#survey.blames[at] as number) > 0;
    if (isSlow) record.slowness ??= new Slowness();
    if (record.slowness !== undefined) {
      if (isSlow && Number.isNaN(record.slowness.avoidedSince)) record.triedAt = now;
      record.slowness.see(isSlow, now, this.#fairMs);
    }
    record.failures.see(route, isBlamed, now);
    if (ratio > 1 && !isSlow && !isBlamed) {
      record.slowness ??= new Slowness();
      if (!record.slowness.isMild(now)) ratio = 1;
    } else record.slowness?.endMild();
    this.#survey.expect(at, ratio, now);
    return isSlow || isBlamed;
  }

  /** Whether an avoided candidate is to be tried with this request, which is then counted as a try. */
  #isDue(at: number, upstream: Upstream, request: MeshRequest): boolean {
    const { now, route } = this.#at;
    const { failures, slowness, triedAt, lowRun } = this.#survey.records[at] as TrackRecord;
    // What has just answered well is no risk: the rest of the proof costs no try.
    const isMending = failures.isMending(route) || lowRun > 0;
    if (upstream.inFlight > 0 || !(isMending || this.#tries >= 1)) return false;
    if (now < triedAt + (isMending ? mendingGap : tryGap) * this.#fairMs) return false;
    const isRepeated = this.#retries.areOn && isSafe(request);
    const avoidedSince = slowness?.avoidedSince ?? Number.NaN;
    if (now < failures.tryAt(route, isRepeated, this.#rate.perMs, avoidedSince)) return false;
    if (slowness !== undefined && !Number.isNaN(avoidedSince) && lowRun === 0) {
      const isHarmless = failures.isClean && (this.#survey.slowness[at] as number) < harmlessRatio;
      if (now < slowness.tryAt(isRepeated || isHarmless, triedAt, this.#fairMs)) return false;
    }
    if (!isMending) this.#tries--;
    (this.#survey.records[at] as TrackRecord).triedAt = now;
    return true;
  }
}

function isSafe({ method }: MeshRequest): boolean {
  return isRetryableMethod(method, "safe");
}
