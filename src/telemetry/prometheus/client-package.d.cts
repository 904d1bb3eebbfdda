/** Loads the npm package `@prometheus-io/client`, an optional peer. Throws what `require` throws when it is missing. */
export declare function load(): unknown;
