/** Failure rate up to which an instance is never blamed. */
export const tolerated = 0.02;
/** Part of the others' mean failure rate that is not blamed on an instance either: bad input of the callers fails on all of them. */
const commonPart = 0.5;
/** Number of outcomes that a rate is taken to be made of, for the deviation that chance alone explains. */
const sampleSize = 20;

/** The part of an instance's failure rate that is neither common to all candidates nor explained by chance. */
export function blameFor(rate: number, sumOfRates: number, count: number): number {
  if (rate <= tolerated || count < 2) return 0;
  const others = Math.min(1, Math.max(0, (sumOfRates - rate) / (count - 1)));
  return Math.max(0, rate - tolerated - commonPart * others - Math.sqrt((others * (1 - others)) / sampleSize));
}
