import type * as Re2 from "re2js";

/** Loads the npm package `re2js`. */
export declare function loadRe2(): typeof Re2;
