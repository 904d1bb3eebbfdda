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
}

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
  return {
    values,
    median: (name, field) => median(values(name, field)),
    ratio: (name, base, field) => median(pairs(name, base, field).map(([value, against]) => value / against)),
    difference: (name, base, field) => median(pairs(name, base, field).map(([value, against]) => value - against)),
  };
}
