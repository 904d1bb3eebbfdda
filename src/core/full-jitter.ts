import type { Random } from "./clock.ts";

/** Doublings after which a pause grows no more, whatever its cap. */
const maxDoublings = 20;

/** The bounds of the pauses between tries, in milliseconds. */
export interface JitterBounds {
  /** The longest first pause. */
  readonly baseMs: number;
  /** The longest of all. */
  readonly capMs: number;
}

/**
 * A pause before the next try, in milliseconds: anything from 0 up to a bound that doubles with each failure, from `baseMs` after none (full jitter). Those
 * that failed at the same moment do not come back in step.
 */
export function fullJitter(random: Random, failures: number, { baseMs, capMs }: JitterBounds): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(failures, maxDoublings));
}
