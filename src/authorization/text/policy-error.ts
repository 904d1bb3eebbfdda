/** A place in the text of a policy, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A policy cannot be used. The message says why, which part of it, and where that stands. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** The file, or another name of where the policy came from. */
  readonly source: string;
  /** Where the fault stands; `undefined` for a policy that was no text. */
  readonly place: Place | undefined;

  constructor(source: string, problem: string, place?: Place) {
    super(`${source}${place === undefined ? "" : `:${place.line}:${place.column}`}: ${problem}`);
    this.source = source;
    this.place = place;
  }
}
