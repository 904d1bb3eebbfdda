import type * as Jose from "jose";

/** Loads the npm package `jose`, an optional peer. Throws what `require` throws when it is missing. */
export declare function load(): typeof Jose;
