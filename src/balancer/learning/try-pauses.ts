/** Evidence about an instance that fails, or is slow, on which the pause before it is tried depends. */
export interface Trouble {
  /** How sure it is that the instance is not well, 0 to 1. */
  readonly sureness: number;
  /** Time from the first sign of trouble to the last, in milliseconds. */
  readonly lastedMs: number;
  /** How often it has come back lately, beyond the first time. */
  readonly relapses: number;
}

/** Shortest pause before a request that a retry makes up for is tried, longest one, and its part of the time that the trouble has lasted. */
const leastSafeMs = 1_000;
const mostSafeMs = 30_000;
const safePart = 0.5;
/** The same for slowness: a slow answer costs less than a retry. */
const slowPart = 0.4;
const mostSlowMs = 20_000;
/** Least pause before a request that may be lost is tried. */
const leastUnsafeMs = 5_100;
/** Number of picks that one lost request is risked for: a client with few requests waits longer. */
const picksPerLoss = 600;
/** Number of picks of each candidate that one slow answer is risked for. */
const picksPerSlow = 200;
/** Pause before a request that may be lost, in milliseconds, and the factor by which a relapse makes it longer: a fault that has come back once comes again. */
const longMs = 10_200;
const relapseFactor = 9;
/** A pause after a single failure that may have been chance. */
const chanceSafeMs = 50;
const chanceUnsafeMs = 250;

/** The pause before a request that may be lost is tried. */
export function longPause(relapses: number): number {
  return longMs * relapseFactor ** Math.min(1, Math.max(0, relapses));
}

/** Pause after a failure that a retry repeats at another instance: how soon to try again follows how surely and how long it has failed. */
export function safePause({ sureness, lastedMs }: Trouble): number {
  return Math.max(chanceSafeMs, sureness * Math.min(mostSafeMs, Math.max(leastSafeMs, safePart * lastedMs)));
}

/** Pause after a failure at once that cost a call, or would have cost it. */
export function unsafePause({ sureness, lastedMs, relapses }: Trouble, picksPerMs: number): number {
  const pause = Math.min(longPause(relapses), Math.max(leastUnsafeMs, picksPerLoss / picksPerMs));
  return Math.max(chanceUnsafeMs, sureness * pause, sureness === 1 ? lastedMs : 0);
}

/**
 * Pause after a failure that took long, and a lost call with it: the long one from the first sign of trouble on, and after each further
 * failure as long as the trouble has lasted.
 * @param sinceTroubleMs time from the first sign of any trouble, slowness too, to the failure
 */
export function slowFailurePause({ lastedMs, relapses }: Trouble, sinceTroubleMs: number): number {
  return Math.max(leastUnsafeMs, longPause(relapses) - sinceTroubleMs, lastedMs);
}

/** Pause between two requests to an instance that is far slower than the others, but has not failed. */
export function slowPause({ lastedMs, relapses }: Trouble, isSafe: boolean, fairMs: number): number {
  if (isSafe) return Math.min(mostSlowMs, Math.max(leastSafeMs, slowPart * lastedMs));
  return Math.min(longMs, Math.max(picksPerSlow * fairMs, lastedMs)) * (longPause(relapses) / longMs);
}
