/** An order of turns for the members of a list. */
export interface Schedule {
  /** The index of the member whose turn it is. */
  next(): number;
  /** The number of turns that the member at `index` is short of its share so far; negative when it has had more. */
  lagOf(index: number): number;
}
