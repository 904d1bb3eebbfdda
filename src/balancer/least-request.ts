import type { Random } from "../core/clock.ts";
import { checkFunction, checkKeys } from "../core/options.ts";
import type { Upstream } from "../core/upstream.ts";
import { type Choices, checkChoices, leastIndex } from "./draw.ts";
import type { Picker } from "./picker.ts";

/** Options of {@link leastRequest}. */
export interface LeastRequestOptions {
  /** How many candidates, drawn at random, a pick compares; `"all"` compares every one. Not used while weights differ. @default 2 */
  readonly choices?: Choices;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. */
  readonly random?: Random;
}

/**
 * The candidate with the fewest requests in flight, of two drawn at random. When weights differ it is Envoy's weighted
 * least request: each candidate has a chance in proportion to weight / (requests in flight + 1).
 * @throws TypeError or RangeError naming the option and the value.
 */
export function leastRequest(options: LeastRequestOptions = {}): Picker {
  const { choices = 2, random = Math.random } = options;
  checkKeys("leastRequest", options, ["choices", "random"]);
  checkChoices("leastRequest: choices", choices);
  checkFunction("leastRequest: random", random);
  let isEven = true;
  let among: readonly Upstream[] = [];
  const inFlightOf = (index: number) => (among[index] as Upstream).inFlight;
  return {
    update(upstreams) {
      isEven = upstreams.every((upstream) => upstream.weight === upstreams[0]?.weight);
    },
    pick(upstreams) {
      if (upstreams.length < 2) return upstreams[0];
      if (!isEven) return byChance(upstreams, random);
      among = upstreams;
      return upstreams[leastIndex(upstreams.length, choices, random, inFlightOf)];
    },
    forService: (_service, context) => leastRequest({ choices, random: options.random ?? context?.random ?? random }),
  };
}

function byChance(upstreams: readonly Upstream[], random: Random): Upstream | undefined {
  let total = 0;
  for (const upstream of upstreams) total += upstream.weight / (upstream.inFlight + 1);
  let rest = random() * total;
  let last = upstreams[0];
  for (const upstream of upstreams) {
    if (upstream.weight === 0) continue;
    last = upstream;
    rest -= upstream.weight / (upstream.inFlight + 1);
    if (rest < 0) break;
  }
  return last;
}
