import type * as Levenshtein from "fastest-levenshtein";

/** Loads the npm package `fastest-levenshtein`. */
export declare function load(): typeof Levenshtein;
