import type { Place } from "./document-error.ts";

/** The names and indexes that lead to a part of a text. */
export type PartPath = readonly (string | number)[];

/** Finds where a part of a text stands: of a key where `isKey`, else of its value. */
export type FindPlace = (path: PartPath, isKey?: boolean) => Place | undefined;

/** A text that has been read. */
export interface ReadText {
  readonly value: unknown;
  readonly placeOf: FindPlace;
}
