/** Whose turn it is, by index in a list. */
export interface Schedule {
  next(): number;
  /** How many picks the member at `index` has been given fewer than its share so far, more when negative. */
  lagOf(index: number): number;
}
