import type { Clock, Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { Upstream } from "../../core/upstream.ts";
import { FailureShare } from "../learning/failure-share.ts";
import { PickRate } from "../learning/pick-rate.ts";
import { RetriesSeen } from "../learning/retries-seen.ts";
import { RouteClasses } from "../learning/route-classes.ts";
import { Slowness } from "../learning/slowness.ts";
import { AttemptOnRecord, TrackRecord, type TrackRecordOptions } from "../learning/track-record.ts";
import { Hand } from "../lists/hand.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { weighList } from "../lists/weights.ts";
import type { AttemptLearner, PickAccount, Picker, PickerContext, PickerView } from "../picker.ts";
import { settlePicker, sourcesOf } from "../picker-options.ts";
import { accountOf, type DecidedBy, decidedBy } from "./adaptive-account.ts";
import { type AdaptiveOptions, type AdaptiveSettings, adaptiveOptions } from "./adaptive-options.ts";
import { Shares } from "./adaptive-shares.ts";
import { maxScanned, maxShared, Survey, type SurveyedPick } from "./adaptive-survey.ts";
import { isSafe, Tries } from "./adaptive-tries.ts";
import { comparedWith, isAvoided, judgeAll, nextTryIn, troubleOf, viewOf } from "./adaptive-view.ts";

/** Instances that are explained within this time, in milliseconds, are explained together. */
const togetherMs = 100;
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
  /** For lists that are too long to look at all candidates. */
  readonly #hands = new PerList((list) => new Hand(list.length, this.#random));
  readonly #routes = new RouteClasses();
  readonly #survey = new Survey();
  readonly #shares = new Shares();
  readonly #rate = new PickRate();
  readonly #retries = new RetriesSeen();
  readonly #tries = new Tries(this.#rate, this.#retries);
  /** The pick in hand. */
  readonly #at: { -readonly [Key in keyof SurveyedPick]: SurveyedPick[Key] };
  /** The list of the last pick, and how that was decided. */
  #list: readonly Upstream[] = [];
  #decidedBy: DecidedBy = decidedBy.shares;
  #explained: ExplainedLists | undefined = undefined;

  constructor(settings: AdaptiveSettings, context: PickerContext | undefined) {
    const { decayMs, failureHalfLifeMs, failureWeight } = settings;
    const { random, clock } = sourcesOf(settings, context);
    this.#settings = settings;
    this.#random = random;
    this.#clock = clock;
    const common = new FailureShare();
    this.#recordOptions = { decayMs, failureHalfLifeMs, clock, common, retries: this.#retries, rate: this.#rate };
    this.#at = { route: 0, now: Number.NaN, failureHalfLifeMs, failureWeight, perMs: this.#rate.perMs, common };
    // Clients that start together must not begin with the same instance.
    this.#records = new PerUpstream(() => new TrackRecord(random() - 0.5));
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#records.update(upstreams);
    this.#weights.announce(upstreams);
    this.#hands.announce(upstreams);
    this.#explained = undefined;
  };

  readonly pick = (upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined => {
    if (upstreams.length < 2) return upstreams[0];
    this.#list = upstreams;
    const at = this.#pick(this.#survey, upstreams, request);
    return upstreams[this.#survey.indexes[at] as number];
  };

  readonly onAttempt = (upstream: Upstream, request: MeshRequest): AttemptLearner => {
    return new AttemptOnRecord(this.#records.of(upstream), this.#routes.of(request), isSafe(request), this.#recordOptions);
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const now = this.#clock.now();
    const { failureHalfLifeMs } = this.#settings;
    const { failures } = this.#records.of(upstream);
    const worst = failures.worstRoute(now, failureHalfLifeMs);
    // The cost is that of the last pick's route, and before the first pick that of the worst one.
    const route = Number.isNaN(this.#at.now) ? worst : this.#at.route;
    const isWorse = route !== worst && failures.of(worst, now, failureHalfLifeMs) > failures.of(route, now, failureHalfLifeMs);
    const elsewhere = isWorse ? this.#avoided(this.#judged(upstream, worst, now), " on one of its routes") : "";
    const judged = this.#judged(upstream, route, now);
    return viewOf(judged.survey, judged.list, judged.at, this.#shares, this.#avoided(judged) || elsewhere);
  };

  // Those that were in no trouble when they were looked at last are nearly all, and are not judged anew.
  readonly avoids = (upstream: Upstream): boolean =>
    this.#records.of(upstream).isInTrouble && this.explain(upstream)["avoided"] !== undefined;

  readonly explainPick = (upstreams: readonly Upstream[], _request: MeshRequest, picked: Upstream): PickAccount | undefined => {
    if (upstreams.length === 1) return { reason: "the only candidate" };
    if (upstreams !== this.#list) return undefined;
    // A try ends its pick before the others are compared.
    if (this.#decidedBy === decidedBy.try) judgeAll(this.#survey, upstreams, this.#at);
    return accountOf(this.#survey, this.#shares, { upstreams, picked, by: this.#decidedBy, now: this.#at.now });
  };

  readonly forService = (_service: string, context?: PickerContext): Picker => {
    return new AdaptivePicker(this.#settings, context);
  };

  #pick(survey: Survey, upstreams: readonly Upstream[], request: MeshRequest): number {
    const pick = this.#at;
    pick.now = this.#clock.now();
    pick.route = this.#routes.of(request);
    this.#rate.count(pick.now);
    pick.perMs = this.#rate.perMs;
    this.#tries.save();
    survey.read(upstreams, this.#records, this.#weights.of(upstreams) ?? weighList(upstreams), this.#handOf(upstreams), pick);
    this.#rate.fairMs = survey.fairMs;
    const isRetry = request.tried.length > 0;
    if (isRetry) this.#retries.retry();
    for (let at = 0; at < survey.count; at++) {
      survey.judge(at, pick);
      if (this.#look(at) && !isRetry && this.#tries.isDue(survey, at, pick, upstreams[survey.indexes[at] as number] as Upstream, request)) {
        this.#decidedBy = decidedBy.try;
        return at;
      }
    }
    survey.compare(upstreams, this.#settings.failureWeight);
    // All that are faster are so busy that a slow one answers sooner.
    const isSlow = (survey.ratios[survey.cheapest] as number) > maxShared;
    this.#decidedBy = isSlow ? decidedBy.slow : decidedBy.shares;
    if (!isSlow) return this.#shares.pick(upstreams, survey, pick.now);
    return (survey.blames[survey.cheapest] as number) > 0 ? this.#tryInstead(upstreams) : survey.cheapest;
  }

  /** The request goes to an instance that fails, since all that are well are too busy: nothing is lost when it tries another one. */
  #tryInstead(upstreams: readonly Upstream[]): number {
    const { cheapest } = this.#survey;
    const instead = this.#tries.insteadOf(cheapest, this.#survey, this.#at, upstreams);
    if (instead !== cheapest) this.#decidedBy = decidedBy.try;
    return instead;
  }

  /** The candidates of a long list that a pick compares; a part of one, which a retry picks from, is dealt anew. */
  #handOf(upstreams: readonly Upstream[]): Uint32Array | undefined {
    if (upstreams.length <= maxScanned) return undefined;
    return (this.#hands.of(upstreams) ?? new Hand(upstreams.length, this.#random)).next();
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
      record.slowness.see(isSlow, now, this.#survey.fairMs);
    }
    record.failures.see(route, isBlamed, now);
    if (ratio > 1 && !isSlow && !isBlamed) {
      record.slowness ??= new Slowness();
      ratio = record.slowness.mild(ratio, now, this.#survey.fairMs);
    } else record.slowness?.endMild();
    this.#survey.expect(at, ratio, now);
    return isSlow || isBlamed;
  }

  /** Judges an instance for requests of a route, beside others of its list. */
  #judged(upstream: Upstream, route: number, now: number): JudgedInstance {
    const { survey, listOf } = this.#explainedLists(now);
    const whole = listOf.get(upstream);
    const list = comparedWith(upstream, whole);
    const pick = { ...this.#at, now, route, perMs: this.#rate.perMs };
    survey.read(list, this.#records, (whole && this.#weights.of(whole)) ?? weighList(list), undefined, pick);
    judgeAll(survey, list, pick);
    return { survey, list, at: list.indexOf(upstream), pick };
  }

  /** Why an instance is avoided, and when it is tried next, in words; empty when it is not. */
  #avoided({ survey, at, pick }: JudgedInstance, where?: string): string {
    const trouble = troubleOf(survey, at, where);
    if (trouble === "" || !isAvoided(survey, at)) return "";
    return `${trouble}, ${nextTryIn(this.#tries.next(survey, at, pick), pick.now)}`;
  }

  /** The lists that instances are explained by: found once for those that are asked for together, of which there may be ten thousand. */
  #explainedLists(now: number): ExplainedLists {
    const last = this.#list;
    if (this.#explained?.last !== last || !(now - this.#explained.at < togetherMs)) {
      // A retry picks from a part of a list: the whole ones come first.
      const listOf = new Map<Upstream, readonly Upstream[]>();
      for (const list of [...this.#weights.lists(), last]) for (const each of list) if (!listOf.has(each)) listOf.set(each, list);
      this.#explained = { last, at: now, listOf, survey: this.#explained?.survey ?? new Survey() };
    }
    return this.#explained;
  }
}

/** An instance in a survey that has been judged; `at` is its place there. */
interface JudgedInstance {
  readonly survey: Survey;
  readonly list: readonly Upstream[];
  readonly at: number;
  readonly pick: SurveyedPick;
}

/** The lists of instances that are explained one after another. */
interface ExplainedLists {
  /** The list of the last pick when they were found. */
  readonly last: readonly Upstream[];
  readonly at: number;
  readonly listOf: ReadonlyMap<Upstream, readonly Upstream[]>;
  readonly survey: Survey;
}
