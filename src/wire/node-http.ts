/**
 * The module `node:http`. It is not imported, since `import` reads every export of a module, and one of these (`WebSocket`) loads Node's own
 * undici: 13 ms of a first call.
 */
export const nodeHttp: typeof import("node:http") = process.getBuiltinModule("node:http");
