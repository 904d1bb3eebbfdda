import type { Clock, Random } from "../../core/clock.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { number } from "../../core/settings/rules.ts";
import type { Upstream } from "../../core/upstream.ts";
import { PeakEwma } from "../learning/ewma.ts";
import { type Choices, choicesRule, leastIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { costFactor, leastWeight, weighList, weightOf } from "../lists/weights.ts";
import type { AttemptLearner, PickAccount, Picker, PickerContext, PickerView } from "../picker.ts";
import { clockRule, randomRule, settlePicker, sourcesOf } from "../picker-options.ts";

/** Options of {@link peakEwma}. */
export interface PeakEwmaOptions {
  /** Time constant of the moving average, in milliseconds, 1 or more: what was learnt counts half after 0.69 of it. @default 10000 */
  readonly decayMs?: number;
  /** Number of candidates, 2 or more, drawn at random, that a pick compares; `"all"` compares every one. @default 2 */
  readonly choices?: Choices;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** Clock that latency is measured with. @default the mesh's */
  readonly clock?: Clock;
}

/** The rules of {@link PeakEwmaOptions}. */
export const peakEwmaOptions = optionTable<PeakEwmaOptions>()({
  decayMs: number({ default: 10_000, min: 1, unit: "ms" }),
  choices: choicesRule,
  random: randomRule,
  clock: clockRule,
});

type PeakEwmaSettings = Settled<typeof peakEwmaOptions.rules>;

/** Cost of an instance without an answer yet that has requests in flight: Finagle's `Long.MaxValue >> 16`. */
const unknownCost = 2 ** 47 - 1;

/**
 * Of two candidates drawn at random the one with the lower peak EWMA of latency × (requests in flight + 1), as in
 * Finagle's `PeakEwma` and Tower's `load::PeakEwma`, divided by the weight where weights differ. The latency of every attempt
 * counts, failed or not.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function peakEwma(options: PeakEwmaOptions = {}): Picker {
  return new PeakEwmaPicker(settlePicker("peakEwma", peakEwmaOptions, options), undefined);
}

class PeakEwmaPicker implements Picker {
  readonly #settings: PeakEwmaSettings;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #averages = new PerUpstream(() => new PeakEwma());
  readonly #weights = new PerList(weighList);
  // Of the pick that is going on, for #costAt: a function made for each pick would be an allocation.
  #candidates: readonly Upstream[] = [];
  #candidateWeights = weighList([]);
  #now = 0;

  constructor(settings: PeakEwmaSettings, context: PickerContext | undefined) {
    const { random, clock } = sourcesOf(settings, context);
    this.#settings = settings;
    this.#random = random;
    this.#clock = clock;
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#averages.update(upstreams);
    this.#weights.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[]): Upstream | undefined => {
    if (upstreams.length < 2) return upstreams[0];
    this.#candidates = upstreams;
    this.#candidateWeights = this.#weights.of(upstreams) ?? weighList(upstreams);
    this.#now = this.#clock.now();
    return upstreams[leastIndex(upstreams.length, this.#settings.choices, this.#random, this.#costAt)];
  };

  readonly onAttempt = (upstream: Upstream): AttemptLearner => {
    return new ObservedAttempt(this.#averages.of(upstream), this.#clock, this.#settings.decayMs);
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const now = this.#clock.now();
    const average = this.#averages.of(upstream);
    const cost = this.#costOf(upstream, average, now) / Math.max(weightOf(upstream), leastWeight);
    return { cost, latencyMs: average.read(now, this.#settings.decayMs) };
  };

  readonly explainPick = (): PickAccount => ({ reason: "the lower cost of those that were drawn" });

  readonly forService = (_service: string, context?: PickerContext): Picker => {
    return new PeakEwmaPicker(this.#settings, context);
  };

  readonly #costAt = (index: number): number => {
    const upstream = this.#candidates[index] as Upstream;
    const average = this.#averages.at(this.#candidates, index);
    return this.#costOf(upstream, average, this.#now) * costFactor(upstream, this.#candidateWeights);
  };

  #costOf({ inFlight }: Upstream, average: PeakEwma, now: number): number {
    const latencyMs = average.read(now, this.#settings.decayMs);
    // Finagle: unknown and idle costs nothing, so that it is tried; unknown and busy is the last resort until its first answer.
    if (latencyMs === 0 && inFlight > 0) return unknownCost + inFlight;
    return latencyMs * (inFlight + 1);
  }
}

/** Observes the time to the response head, or to the failure of an attempt without one, once. */
class ObservedAttempt implements AttemptLearner {
  readonly #average: PeakEwma;
  readonly #clock: Clock;
  readonly #decayMs: number;
  readonly #startedAt: number;
  #isObserved = false;

  constructor(average: PeakEwma, clock: Clock, decayMs: number) {
    this.#average = average;
    this.#clock = clock;
    this.#decayMs = decayMs;
    this.#startedAt = clock.now();
  }

  onHead(): void {
    this.#observe();
  }

  onEnd(): void {
    this.#observe();
  }

  #observe(): void {
    if (this.#isObserved) return;
    this.#isObserved = true;
    const now = this.#clock.now();
    this.#average.observe(now - this.#startedAt, now, this.#decayMs);
  }
}
