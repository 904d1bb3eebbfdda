/**
 * `node:http`, not by `import`: that reads every export of the module, and one of them (`WebSocket`) loads Node's own undici, which
 * takes as long as everything else that a first call needs.
 */
export const nodeHttp: typeof import("node:http") = process.getBuiltinModule("node:http");
