import type { Random } from "../../core/clock.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type Choices, choicesRule, leastIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { drawByWeight, type RunningSums, runningSums } from "../lists/running-sums.ts";
import { leastWeight, weightOf } from "../lists/weights.ts";
import type { Picker, PickerContext } from "../picker.ts";
import { randomRule, settlePicker, sourcesOf } from "../picker-options.ts";

/** Options of {@link leastRequest}. */
export interface LeastRequestOptions {
  /**
   * Number of candidates, 2 or more, drawn at random, that a pick compares; `"all"` compares every one. Has no effect while weights
   * differ. @default 2
   */
  readonly choices?: Choices;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
}

/** The rules of {@link LeastRequestOptions}. */
export const leastRequestOptions = optionTable<LeastRequestOptions>()({ choices: choicesRule, random: randomRule });

/**
 * The candidate with the fewest requests in flight of two drawn at random (power of two choices). When weights differ it is Envoy's
 * weighted least request: each candidate has a chance in proportion to weight / (requests in flight + 1).
 * @throws TypeError or RangeError naming the option and the value.
 */
export function leastRequest(options: LeastRequestOptions = {}): Picker {
  return leastRequestPicker(settlePicker("leastRequest", leastRequestOptions, options), undefined);
}

function leastRequestPicker(settings: Settled<typeof leastRequestOptions.rules>, context: PickerContext | undefined): Picker {
  const { choices } = settings;
  const { random } = sourcesOf(settings, context);
  const sums = new PerList<RunningSums>(runningSums);
  let among: readonly Upstream[] = [];
  const inFlightOf = (index: number) => (among[index] as Upstream).inFlight;
  return {
    update: (upstreams) => sums.announce(upstreams),
    pick(upstreams) {
      if (upstreams.length < 2) return upstreams[0];
      const known = sums.of(upstreams) ?? runningSums(upstreams);
      if (known !== "even") return upstreams.length > maxSummed ? byDraws(upstreams, known, random) : byChance(upstreams, random);
      among = upstreams;
      return upstreams[leastIndex(upstreams.length, choices, random, inFlightOf)];
    },
    explain(upstream) {
      const weight = weightOf(upstream);
      return { cost: (upstream.inFlight + 1) / (weight || leastWeight), weight };
    },
    explainPick: () => ({ reason: "few requests in flight, among those that were drawn" }),
    forService: (_service, serviceContext) => leastRequestPicker(settings, serviceContext),
  };
}

/** Largest list of which a pick by weight looks at every candidate. */
const maxSummed = 32;
const maxDraws = 32;

function byChance(upstreams: readonly Upstream[], random: Random): Upstream | undefined {
  let total = 0;
  for (const upstream of upstreams) total += weightOf(upstream) / (upstream.inFlight + 1);
  let rest = random() * total;
  let last = upstreams[0];
  for (const upstream of upstreams) {
    const weight = weightOf(upstream);
    if (weight === 0) continue;
    last = upstream;
    rest -= weight / (upstream.inFlight + 1);
    if (rest < 0) break;
  }
  return last;
}

/**
 * The same chances by rejection sampling: a candidate drawn by weight is accepted with the chance 1 / (requests in flight + 1). When
 * none of `maxDraws` is accepted, the least busy of them.
 */
function byDraws(upstreams: readonly Upstream[], sums: Float64Array, random: Random): Upstream | undefined {
  let best: Upstream | undefined;
  for (let draw = 0; draw < maxDraws; draw++) {
    const drawn = upstreams[drawByWeight(random, sums)] as Upstream;
    if (random() * (drawn.inFlight + 1) < 1) return drawn;
    if (best === undefined || drawn.inFlight < best.inFlight) best = drawn;
  }
  return best;
}
