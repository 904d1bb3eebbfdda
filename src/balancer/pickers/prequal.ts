import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkFunction, checkInteger, checkKeys, checkNumber, checkObject, refuseOption } from "../../core/options.ts";
import { outcomeOfError } from "../../core/outcome.ts";
import type { Upstream } from "../../core/upstream.ts";
import { FailureRates } from "../learning/failure-rates.ts";
import { badnessOf } from "../learning/track-record.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { LoadProbePool } from "../load-probes/load-probe-pool.ts";
import { type LoadProbeAnswer, LoadProber } from "../load-probes/load-prober.ts";
import { type LoadReport, loadReportOf } from "../load-reports/load-report.ts";
import type { ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { AttemptLearner, PickerContext, PickerView } from "../picker.ts";

/** Options of {@link prequal}. */
export interface PrequalOptions {
  /** What an instance is asked for its load by: a path, maybe with a query. @default "/.inmesh/load" */
  readonly probePath?: string;
  /** An instance that has not answered a probe for so long has no probe, in milliseconds. @default 100 */
  readonly probeTimeoutMs?: number;
  /** How many instances are asked for each request; 0.5 = one for every second, 0 = only what responses report. @default 3 */
  readonly probesPerRequest?: number;
  /** How many instances are asked at a time. @default 32 */
  readonly maxProbesInFlight?: number;
  /** How many probes are kept. @default 16 */
  readonly poolSize?: number;
  /** How long a probe is used, in milliseconds. @default 1000 */
  readonly maxProbeAgeMs?: number;
  /** An instance with more requests in flight than this part of the pool is hot; 0 = only those in flight count, 1 = only latency. @default 2^-0.25 ≈ 0.84 */
  readonly rifQuantile?: number;
  /** How many probes are taken out of the pool for each request, the oldest and the worst in turn. @default 1 */
  readonly removalsPerRequest?: number;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** What ages are measured with. @default the mesh's clock */
  readonly clock?: Clock;
}

const optionKeys = [
  "probePath",
  "probeTimeoutMs",
  "probesPerRequest",
  "maxProbesInFlight",
  "poolSize",
  "maxProbeAgeMs",
  "rifQuantile",
  "removalsPerRequest",
  "random",
  "clock",
];

/** δ of the paper: how much faster probes come than they are used up. */
const growth = 1;
/** Failures halve in so long in which an instance is given nothing to do, in milliseconds. */
const failureHalfLifeMs = 5_000;
/** Above this share of failures, and half of what all in the pool fail, an instance is sick. */
const tolerated = 0.1;

/** Where no probe is answered, the pool knows only of those that requests go to: one request in eight then goes to anybody. */
const exploration = 1 / 8;

/** What is known of one instance beside its probe. */
class Candidate {
  readonly failures: FailureRates = new FailureRates();
  asked = 0;
  unanswered = 0;
  malformed = 0;
}

/**
 * Prequal (Wydrowski and others, NSDI 2024): instances are asked for their requests in flight and their latency all the time,
 * a few for each request and beside it, and a request goes to one of those that have answered lately: of those that are not
 * hot the one with the lowest latency. Where nobody answers, anybody at random is picked.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function prequal(options: PrequalOptions = {}): ReportingPicker {
  const { probePath = "/.inmesh/load", random, clock } = options;
  checkKeys("prequal", options, optionKeys);
  if (typeof probePath !== "string" || !/^\/[!-~]*$/.test(probePath))
    refuseOption("prequal: probePath", probePath, "a path that begins with a slash");
  checkNumber("prequal: probeTimeoutMs", options.probeTimeoutMs, 1, 60_000);
  checkNumber("prequal: probesPerRequest", options.probesPerRequest, 0, 100);
  checkInteger("prequal: maxProbesInFlight", options.maxProbesInFlight, 1, 10_000);
  checkInteger("prequal: poolSize", options.poolSize, 2, 1_000);
  checkNumber("prequal: maxProbeAgeMs", options.maxProbeAgeMs, 1);
  checkNumber("prequal: rifQuantile", options.rifQuantile, 0, 1);
  checkNumber("prequal: removalsPerRequest", options.removalsPerRequest, 0, 100);
  checkFunction("prequal: random", random);
  checkObject("prequal: clock", clock);
  return probing(options, { malformed: 0 }, "", undefined);
}

function probing(
  options: PrequalOptions,
  counter: { malformed: number },
  service: string,
  context: PickerContext | undefined,
): ReportingPicker {
  const { probePath = "/.inmesh/load", probeTimeoutMs = 100, probesPerRequest = 3, maxProbesInFlight = 32 } = options;
  const { poolSize = 16, maxProbeAgeMs = 1_000, rifQuantile = 2 ** -0.25, removalsPerRequest = 1 } = options;
  const random = options.random ?? context?.random ?? Math.random;
  const clock = options.clock ?? context?.clock ?? systemClock;
  const poolOptions = { poolSize, maxProbeAgeMs, rifQuantile };
  const candidates = new PerUpstream(() => new Candidate());
  const pools = new PerList<LoadProbePool>((list, before) => {
    const kept = before?.probes.filter(({ upstream }) => list.includes(upstream));
    return new LoadProbePool(poolOptions, kept);
  });
  const prober =
    context?.send === undefined
      ? undefined
      : new LoadProber({ service, send: context.send, path: probePath, timeoutMs: probeTimeoutMs, maxInFlight: maxProbesInFlight, clock });
  // Of the last pick: what is attempted next was picked from it.
  let lastPool: LoadProbePool | undefined;
  let lastSize = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;

  /** A whole number that is `mean` on average. */
  const rounded = (mean: number): number => Math.floor(mean) + (random() < mean % 1 ? 1 : 0);

  /** How often a probe may be used before probes come faster than they go: formula (1) of the paper. */
  const maxUses = (size: number): number => {
    const net = (1 - Math.min(poolSize, size) / size) * probesPerRequest - removalsPerRequest;
    return net > 0 ? Math.max(1, rounded((1 + growth) / net)) : Number.POSITIVE_INFINITY;
  };

  /** Takes what an instance reports into the pool; `false` when it reports nothing of use. */
  const take = (pool: LoadProbePool, size: number, upstream: Upstream, report: LoadReport | undefined, ms: number): boolean => {
    const rif = report?.named.get("rif") ?? -1;
    const latencyMs = report?.named.get("latency_ms") ?? (upstream.latencyMs || ms);
    if (!(rif >= 0 && latencyMs >= 0)) return false;
    const { failures } = candidates.of(upstream);
    pool.add({ upstream, failures, rif, latencyMs, at: clock.now(), uses: 0, maxUses: maxUses(size) });
    return true;
  };

  const reportOf = (upstream: Upstream, { response }: Exclude<LoadProbeAnswer, undefined>): LoadReport | undefined => {
    const report = loadReportOf(response);
    if (report !== "malformed") return report;
    candidates.of(upstream).malformed++;
    counter.malformed++;
    return undefined;
  };

  const probe = (list: readonly Upstream[], pool: LoadProbePool): void => {
    const count = Math.min(rounded(probesPerRequest), list.length);
    const asked: Upstream[] = [];
    // Without asking one twice; a few draws in vain matter less than a list of ten thousand that is shuffled.
    for (let draw = 0; asked.length < count && draw < 4 * count; draw++) {
      const upstream = list[drawIndex(random, list.length)] as Upstream;
      if (asked.includes(upstream)) continue;
      asked.push(upstream);
      const candidate = candidates.of(upstream);
      const isAsked = prober?.ask(upstream, (answer) => {
        const isGood = answer !== undefined && answer.response.status >= 200 && answer.response.status < 300;
        if (isGood && take(pool, list.length, upstream, reportOf(upstream, answer), answer.ms)) answeredAt = clock.now();
        else candidate.unanswered++;
      });
      if (isAsked) candidate.asked++;
    }
  };

  return {
    get malformedReports() {
      return counter.malformed;
    },
    update(upstreams) {
      candidates.update(upstreams);
      pools.announce(upstreams);
    },
    pick(upstreams) {
      if (upstreams.length < 2) return upstreams[0];
      const pool = pools.of(upstreams);
      lastPool = pool;
      lastSize = upstreams.length;
      // A retry picks among a part of a list: those who are left, without the one that a probe spoke for.
      if (pool === undefined) return upstreams[drawIndex(random, upstreams.length)];
      const now = clock.now();
      pool.expire(now);
      let failing = 0;
      for (const { failures } of pool.probes) failing += failures.of(0, now, failureHalfLifeMs);
      const limit = tolerated + failing / 2 / (pool.probes.length || 1);
      const isBlind = !(now - answeredAt <= maxProbeAgeMs) && random() < exploration;
      const chosen = isBlind ? undefined : pool.choose(({ failures }) => failures.of(0, now, failureHalfLifeMs) > limit);
      if (chosen !== undefined) pool.use(chosen);
      for (let removals = rounded(removalsPerRequest); removals > 0; removals--) pool.removeOne();
      if (prober !== undefined) probe(upstreams, pool);
      return chosen?.upstream ?? upstreams[drawIndex(random, upstreams.length)];
    },
    onAttempt(upstream): AttemptLearner {
      const { failures } = candidates.of(upstream);
      const pool = lastPool;
      const size = lastSize;
      const startedAt = clock.now();
      return {
        onHead(response) {
          const now = clock.now();
          failures.record(0, badnessOf(response.status), now, failureHalfLifeMs);
          const ms = Math.max(0, now - startedAt);
          if (pool !== undefined) take(pool, size, upstream, reportOf(upstream, { response, ms }), ms);
        },
        onEnd(error) {
          if (outcomeOfError(error) === "failure") failures.record(0, 1, clock.now(), failureHalfLifeMs);
        },
      };
    },
    explain(upstream): PickerView {
      const { asked, unanswered, malformed, failures } = candidates.of(upstream);
      const now = clock.now();
      const failureRatio = failures.of(0, now, failureHalfLifeMs);
      const known = { failureRatio, probes: asked, probesFailed: unanswered, malformedReports: malformed };
      for (const pool of pools.states()) {
        const found = pool.probes.find((each) => each.upstream === upstream);
        if (found === undefined || Math.abs(now - found.at) > maxProbeAgeMs) continue;
        const { rif, latencyMs, at, uses } = found;
        return { pool: rif > pool.hotAbove() ? "hot" : "cold", rif, latencyMs, ageMs: now - at, uses, ...known };
      }
      return { pool: "absent", ...known };
    },
    forService: (name, own) => probing(options, counter, name, own),
  };
}
