/** Loads the npm package `@grpc/grpc-js`, an optional peer. Throws what `require` throws when it is missing. */
export declare function load(): unknown;
/** The version of the package as its manifest has it. Throws where the manifest cannot be read. */
export declare function version(): unknown;
