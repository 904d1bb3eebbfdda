/** Failure rate up to which an instance is never blamed. */
export const tolerated = 0.02;
/** Part of the others' mean failure rate that is not blamed on an instance either: bad input of the callers fails on all of them. */
const commonPart = 0.5;
/** Number of outcomes that a rate is taken to be made of, for the deviation that chance alone explains, where failures do not come by chance. */
const sampleSize = 20;
/** Deviations that chance may explain where they do: of a hundred instances, some are always two deviations off. */
const deviations = 5;

/** The failure rates of all candidates together. */
export interface CommonRates {
  readonly sum: number;
  readonly count: number;
  /** Number of outcomes that each rate is made of. */
  readonly outcomes: number;
  /** How far failures come by chance, 0 to 1. */
  readonly byChance: number;
}

/**
 * The part of an instance's failure rate that is neither common to all candidates nor explained by chance. Few outcomes prove little:
 * where all instances are near their capacity, each of them has just let a request time out, and whatever is taken from one of them
 * overloads the next.
 * @param isCertain the instance does nothing but fail
 */
export function blameFor(rate: number, { sum, count, outcomes, byChance }: CommonRates, isCertain: boolean): number {
  if (rate <= tolerated || count < 2) return 0;
  const others = Math.min(1, Math.max(0, (sum - rate) / (count - 1)));
  const least = 1 / Math.sqrt(sampleSize);
  const explained = isCertain ? least : least + byChance * Math.max(0, deviations / Math.sqrt(outcomes) - least);
  return Math.max(0, rate - tolerated - commonPart * others - explained * Math.sqrt(others * (1 - others)));
}
