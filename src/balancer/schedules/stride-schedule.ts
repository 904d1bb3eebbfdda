import type { Schedule } from "./schedule.ts";

const strides = 65_535;
/** Known weights are limited to this multiple of their median: of the mean, one report that lies would raise its own limit. */
const maxRatio = 10;
/** And to this part of the mean of what is left, so that no pick skips many turns. */
const minRatio = 0.01;

/**
 * Static stride scheduling (gRFC A58, gRPC's `static_stride_scheduler.cc`): members in turn, of which one of weight w is skipped in all
 * but w of 65,535 rounds, evenly spread. A weight of 0 is unknown and counts as the mean of the known ones. gRPC limits weights by their mean.
 */
export class StrideSchedule implements Schedule {
  readonly #weights: Uint16Array;
  /** (weight × round + index × 32,767) mod 65,535 of each member, which decides whether its next turn is skipped. */
  readonly #residues: Uint16Array;
  #index: number;
  #sequence: number;

  /** @param sequence number of turns so far, skipped ones included; a random one for a client that begins */
  constructor(weights: Float64Array, sequence = 0) {
    this.#weights = scaled(weights);
    const size = weights.length;
    const round = Math.floor(sequence / size) % strides;
    this.#index = sequence % size;
    this.#sequence = sequence;
    const offset = strides >>> 1;
    this.#residues = this.#weights.map((weight, index) => {
      const next = index < this.#index ? round + 1 : round;
      return (((weight * next) % strides) + ((index * offset) % strides)) % strides;
    });
  }

  /** Number of turns so far, skipped ones included, for the schedule that follows this one. */
  get sequence(): number {
    return this.#sequence;
  }

  next(): number {
    const weights = this.#weights;
    const residues = this.#residues;
    for (;;) {
      const index = this.#index;
      const weight = weights[index] as number;
      const residue = residues[index] as number;
      residues[index] = residue + weight < strides ? residue + weight : residue + weight - strides;
      this.#index = index + 1 < weights.length ? index + 1 : 0;
      this.#sequence++;
      if (residue >= strides - weight) return index;
    }
  }

  lagOf(): number {
    return 0;
  }
}

/** The weights as whole numbers of which the highest is 65,535. */
function scaled(weights: Float64Array): Uint16Array {
  const known = weights.filter((weight) => weight > 0).sort();
  if (known.length === 0) return new Uint16Array(weights.length).fill(strides);
  const cap = Math.min(known.at(-1) as number, maxRatio * medianOf(known));
  const mean = known.reduce((sum, weight) => sum + Math.min(weight, cap), 0) / known.length;
  const factor = strides / cap;
  const scaledMean = Math.round(factor * mean);
  const floor = Math.max(1, Math.round(scaledMean * minRatio));
  return Uint16Array.from(weights, (weight) => (weight > 0 ? Math.max(floor, Math.round(Math.min(weight, cap) * factor)) : scaledMean));
}

function medianOf(sorted: Float64Array): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
