/** Loads the npm package `consul`, an optional peer. Throws what `require` throws when it is missing. */
export declare function load(): unknown;
