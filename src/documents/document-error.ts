/** A place in a text, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text cannot be used. The message says why, and where the fault stands: `mesh.yaml:3:5: …`. */
export class DocumentError extends Error {
  override readonly name: string = "DocumentError";
  /** The file, or another name of where the text came from. */
  readonly source: string;
  /** Where the fault stands; `undefined` for what was no text. */
  readonly place: Place | undefined;

  constructor(source: string, problem: string, place?: Place) {
    super(`${source}${place === undefined ? "" : `:${place.line}:${place.column}`}: ${problem}`);
    this.source = source;
    this.place = place;
  }
}
