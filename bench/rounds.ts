import { seededRandom } from "../src/testing/seeded-random.ts";
import { median, progress, progressDone } from "./report.ts";

/** One measurement: a number, or several by name, of which `value` is compared where no other is named. */
export type Sample = number | Readonly<Record<string, number>>;

/** What {@link measureRounds} found. Without `field`, the sample itself or its field `value`. */
export interface Measurements {
  /** The values of a case, round by round. */
  values(name: string, field?: string): readonly number[];
  median(name: string, field?: string): number;
  /** The median of the rounds' ratios of `name` to `base`. */
  ratio(name: string, base: string, field?: string): number;
  /** The median of the rounds' differences of `name` and `base`. */
  difference(name: string, base: string, field?: string): number;
  /** The median of the rounds' differences of one pair, as a multiple of that of another pair, with how sure that is. */
  differenceRatio(pair: readonly [name: string, base: string], against: readonly [name: string, base: string]): Estimate;
}

/** A figure, and the range in which nine of ten repetitions of the rounds would have it. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 2_000;

/**
 * Measures every case once a round, each round beginning with another one, so that a noisy moment of the machine hits all
 * cases alike; what is compared is compared within a round. The first round warms up and is not counted.
 */
export async function measureRounds(
  bench: string,
  rounds: number,
  cases: Readonly<Record<string, () => Promise<Sample>>>,
): Promise<Measurements> {
  const names = Object.keys(cases);
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]));
  try {
    for (let round = 0; round <= rounds; round++) {
      progress(bench, round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(turn + round) % names.length] as string;
        const sample = await (cases[name] as () => Promise<Sample>)();
        if (round > 0) samples.get(name)?.push(sample);
      }
    }
  } finally {
    progressDone();
  }
  const values = (name: string, field = "value"): readonly number[] =>
    (samples.get(name) as Sample[]).map((sample) => (typeof sample === "number" ? sample : (sample[field] as number)));
  const pairs = (name: string, base: string, field?: string): readonly (readonly [number, number])[] => {
    const bases = values(base, field);
    return values(name, field).map((value, round) => [value, bases[round] as number]);
  };
  const difference: Measurements["difference"] = (name, base, field) =>
    median(pairs(name, base, field).map(([value, against]) => value - against));
  const random = seededRandom(1);
  return {
    values,
    median: (name, field) => median(values(name, field)),
    ratio: (name, base, field) => median(pairs(name, base, field).map(([value, against]) => value / against)),
    difference,
    differenceRatio(pair, against) {
      const differences = [pair, against].map(([name, base]) => pairs(name, base).map(([value, other]) => value - other));
      const [ours = [], theirs = []] = differences;
      // A round stays whole: what is noisy in it is so in both differences.
      const drawn = Array.from({ length: resamples }, () => {
        const picked = ours.map(() => Math.floor(random() * ours.length));
        return median(picked.map((round) => ours[round] as number)) / median(picked.map((round) => theirs[round] as number));
      }).sort((a, b) => a - b);
      const at = (share: number): number => drawn[Math.floor(share * (resamples - 1))] as number;
      return { value: median(ours) / median(theirs), low: at(0.05), high: at(0.95) };
    },
  };
}
