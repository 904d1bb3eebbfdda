import type CircuitBreaker from "opossum";

/** Loads the class that the npm package `opossum` exports. */
export declare function load(): typeof CircuitBreaker;
