/** Loads the npm package `eureka-js-client`, an optional peer. Throws what `require` throws when it is missing. */
export declare function load(): unknown;
