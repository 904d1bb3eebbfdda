import type { Clock, Random } from "../../core/clock.ts";
import type { MeshResponse } from "../../core/dispatch.ts";
import { outcomeOfError } from "../../core/outcome.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import type { Upstream } from "../../core/upstream.ts";
import { FailureRate } from "../learning/failure-rate.ts";
import { badnessOf } from "../learning/track-record.ts";
import { drawIndex, roundAtRandom } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { type LoadProbe, LoadProbePool } from "../load-probes/load-probe-pool.ts";
import { type LoadProbeAnswer, LoadProber } from "../load-probes/load-prober.ts";
import { type LoadReport, loadReportOf } from "../load-reports/load-report.ts";
import type { MalformedReports, ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { AttemptLearner, PickAccount, PickerContext, PickerView } from "../picker.ts";
import { settlePicker, sourcesOf } from "../picker-options.ts";
import { type PrequalOptions, type PrequalSettings, prequalOptions } from "./prequal-options.ts";

/** δ of the paper: the factor by which probes arrive faster than they are used up, less 1. */
const growth = 1;
/** Time in which the failure rate of an instance halves while no attempt is sent to it, in milliseconds. */
const failureHalfLifeMs = 5_000;
/** An instance is sick when its failure rate exceeds this and half of the mean rate in the pool together. */
const tolerated = 0.1;
/** Share of requests to any instance while no probe is answered: the pool then knows only the instances that requests are sent to. */
const exploration = 1 / 8;

/**
 * Prequal (Wydrowski and others, "Load is not what you should balance", NSDI 2024). Instances are probed for their requests in flight
 * and their latency, a few beside each request, and a request is sent to one that has answered lately: the one with the lowest
 * latency among those that are not hot. While fewer than two have answered, any candidate is picked at random.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function prequal(options: PrequalOptions = {}): ReportingPicker {
  return new Prequal(settlePicker("prequal", prequalOptions, options), "", undefined, { count: 0 });
}

/**
 * The latency of an instance that gets no request halves in this many picks of each instance: it reports the one of its last requests,
 * however long ago they were.
 */
const staleAfter = 16;
/** A response that takes less than this part of the latency reported shows that the report is outdated: it is tried again at once. */
const outdatedPart = 0.5;
/** Candidates that are looked at for one that answers. */
const mostSilent = 16;

/** Failures and counts of one instance, beside its probe in the pool. */
class InstanceRecord {
  readonly failures: FailureRate = new FailureRate();
  /** The pick after which its latency is taken to be outdated. */
  usedAt: number;
  /** The latency that it has reported last, in milliseconds. */
  latencyMs = 0;
  /** Its last probe was not answered at all. */
  isSilent = false;
  probes = 0;
  probesFailed = 0;
  malformedReports = 0;

  constructor(usedAt: number) {
    this.usedAt = usedAt;
  }
}

/** A list of candidates that picks are made from. */
interface ProbedList {
  readonly size: number;
  readonly pool: LoadProbePool;
}

class Prequal implements ReportingPicker {
  readonly #settings: PrequalSettings;
  readonly #malformed: MalformedReports;
  readonly #random: Random;
  readonly #clock: Clock;
  /** Absent where the picker has no way to send a probe: only responses are read then. */
  readonly #prober: LoadProber | undefined;
  readonly #records = new PerUpstream(() => new InstanceRecord(this.#picks));
  readonly #lists = new PerList<ProbedList>((list, before) => this.#probedListOf(list, before));
  /** The list of the last pick: the next attempt was picked from it. */
  #lastList: ProbedList | undefined;
  #picks = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(settings: PrequalSettings, service: string, context: PickerContext | undefined, malformed: MalformedReports) {
    const { random, clock } = sourcesOf(settings, context);
    const { probePath: path, probeTimeoutMs: timeoutMs, maxProbesInFlight: maxInFlight } = settings;
    const send = context?.send;
    this.#settings = settings;
    this.#malformed = malformed;
    this.#random = random;
    this.#clock = clock;
    this.#prober = send === undefined ? undefined : new LoadProber({ service, send, path, timeoutMs, maxInFlight, clock });
  }

  get malformedReports(): number {
    return this.#malformed.count;
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#records.update(upstreams);
    this.#lists.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[]): Upstream | undefined => {
    if (upstreams.length < 2) return upstreams[0];
    const list = this.#lists.of(upstreams);
    this.#lastList = list;
    this.#picks++;
    // A retry picks from a part of a list: the candidates that are left, without the one that a probe spoke for.
    if (list === undefined) return upstreams[drawIndex(this.#random, upstreams.length)];
    const chosen = this.#choose(list);
    for (let removals = roundAtRandom(this.#settings.removalsPerRequest, this.#random); removals > 0; removals--) list.pool.removeOne();
    this.#probeSome(upstreams, list);
    return chosen?.upstream ?? this.#draw(upstreams);
  };

  readonly onAttempt = (upstream: Upstream): AttemptLearner => {
    const record = this.#records.of(upstream);
    const { failures, latencyMs, usedAt } = record;
    const list = this.#lastList;
    const startedAt = this.#clock.now();
    record.usedAt = this.#picks;
    return {
      onHead: (response) => {
        const now = this.#clock.now();
        const badness = badnessOf(countedStatus(response));
        failures.record(badness, now, failureHalfLifeMs);
        if (badness === 0 && now - startedAt < outdatedPart * latencyMs) record.usedAt = usedAt;
        if (list !== undefined) this.#takeReport(list, upstream, response, Math.max(0, now - startedAt));
      },
      onEnd: (error) => {
        if (outcomeOfError(error) === "failure") failures.record(1, this.#clock.now(), failureHalfLifeMs);
      },
    };
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const { probes, probesFailed, malformedReports, failures } = this.#records.of(upstream);
    const now = this.#clock.now();
    const known = { failureRatio: failures.at(now, failureHalfLifeMs), probes, probesFailed, malformedReports, meant: 1 };
    for (const { pool } of this.#lists.states()) {
      const found = pool.probes.find((each) => each.upstream === upstream);
      if (found === undefined || Math.abs(now - found.at) > this.#settings.maxProbeAgeMs) continue;
      const { rif, latencyMs, at, uses } = found;
      return { pool: rif > pool.hotAbove() ? "hot" : "cold", rif, latencyMs, ageMs: now - at, uses, ...known };
    }
    return { pool: "absent", ...known };
  };

  readonly explainPick = (): PickAccount => ({
    reason: "the lowest latency of those that are not hot, by the answers to probes; at random while fewer than two have answered",
  });

  readonly forService = (service: string, context?: PickerContext): ReportingPicker => {
    return new Prequal(this.#settings, service, context, this.#malformed);
  };

  #probedListOf(list: readonly Upstream[], before: ProbedList | undefined): ProbedList {
    const kept = before?.pool.probes.filter(({ upstream }) => list.includes(upstream));
    return { size: list.length, pool: new LoadProbePool(this.#settings, kept) };
  }

  /** The best probe of the pool, counted as used; `undefined` when the pick is left to chance. */
  #choose({ pool, size }: ProbedList): LoadProbe | undefined {
    const now = this.#clock.now();
    pool.expire(now);
    let rates = 0;
    for (const { failures } of pool.probes) rates += failures.at(now, failureHalfLifeMs);
    const limit = tolerated + rates / 2 / (pool.probes.length || 1);
    const isUnanswered = !(now - this.#answeredAt <= this.#settings.maxProbeAgeMs);
    if (isUnanswered && this.#random() < exploration) return undefined;
    const chosen = pool.choose(
      ({ failures }) => failures.at(now, failureHalfLifeMs) > limit,
      ({ upstream, latencyMs }) => latencyMs * 2 ** ((this.#records.of(upstream).usedAt - this.#picks) / (staleAfter * size)),
    );
    if (chosen !== undefined) pool.use(chosen);
    return chosen;
  }

  /** A candidate at random, or the next one that has not left its last probe without any answer. */
  #draw(upstreams: readonly Upstream[]): Upstream | undefined {
    const first = drawIndex(this.#random, upstreams.length);
    for (let index = first; index < first + Math.min(mostSilent, upstreams.length); index++) {
      const upstream = upstreams[index % upstreams.length] as Upstream;
      if (!this.#records.of(upstream).isSilent) return upstream;
    }
    return upstreams[first];
  }

  #probeSome(upstreams: readonly Upstream[], list: ProbedList): void {
    const prober = this.#prober;
    if (prober === undefined) return;
    const count = Math.min(roundAtRandom(this.#settings.probesPerRequest, this.#random), upstreams.length);
    const drawn: Upstream[] = [];
    // No instance twice. A few draws in vain cost less than shuffling a list of ten thousand.
    for (let draw = 0; drawn.length < count && draw < 4 * count; draw++) {
      const upstream = upstreams[drawIndex(this.#random, upstreams.length)] as Upstream;
      if (drawn.includes(upstream)) continue;
      drawn.push(upstream);
      if (prober.ask(upstream, (answer) => this.#onAnswer(list, upstream, answer))) this.#records.of(upstream).probes++;
    }
  }

  #onAnswer(list: ProbedList, upstream: Upstream, answer: LoadProbeAnswer): void {
    this.#records.of(upstream).isSilent = answer === undefined;
    const isGood = answer !== undefined && answer.response.status >= 200 && answer.response.status < 300;
    if (isGood && this.#takeReport(list, upstream, answer.response, answer.ms)) this.#answeredAt = this.#clock.now();
    else this.#records.of(upstream).probesFailed++;
  }

  /**
   * Adds the load that `response` reports to the pool.
   * @param ms the time that the response took, used as latency where neither the report nor the upstream has one
   * @returns `false` when the response reports no load
   */
  #takeReport({ pool, size }: ProbedList, upstream: Upstream, response: MeshResponse, ms: number): boolean {
    const report = this.#reportIn(response, upstream);
    const rif = report?.named.get("rif") ?? -1;
    const latencyMs = report?.named.get("latency_ms") ?? (upstream.latencyMs || ms);
    if (!(rif >= 0 && latencyMs >= 0)) return false;
    const record = this.#records.of(upstream);
    const { failures } = record;
    record.latencyMs = latencyMs;
    pool.add({ upstream, failures, rif, latencyMs, at: this.#clock.now(), uses: 0, maxUses: this.#maxUses(size) });
    return true;
  }

  #reportIn(response: MeshResponse, upstream: Upstream): LoadReport | undefined {
    const report = loadReportOf(response);
    if (report !== "malformed") return report;
    this.#records.of(upstream).malformedReports++;
    this.#malformed.count++;
    return undefined;
  }

  /** Number of uses of a probe beyond which the pool would be used up faster than it is filled: formula (1) of the paper. */
  #maxUses(listSize: number): number {
    const { poolSize, probesPerRequest, removalsPerRequest } = this.#settings;
    const net = (1 - Math.min(poolSize, listSize) / listSize) * probesPerRequest - removalsPerRequest;
    return net > 0 ? Math.max(1, roundAtRandom((1 + growth) / net, this.#random)) : Number.POSITIVE_INFINITY;
  }
}
