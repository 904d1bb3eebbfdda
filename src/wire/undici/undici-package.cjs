// CommonJS, as undici is: an import of one of its files has Node read it once more, for the names that it exports.
exports.load = () =>
  withLateHttp2(() => ({
    Pool: require("undici/lib/dispatcher/pool.js"),
    Dispatcher: require("undici/lib/dispatcher/dispatcher.js"),
    Request: require("undici/lib/core/request.js"),
    errors: require("undici/lib/core/errors.js"),
  }));
// For dispatchers, which few programs make.
exports.loadAgent = () => require("undici/lib/dispatcher/agent.js");
exports.loadMethods = () => require("undici/lib/api/index.js");

/**
 * Has undici load its client of HTTP/2 at the first connection that speaks it, where it has not loaded it yet: that file loads `node:http2`, and
 * both are a tenth of the CPU of a process up to its first call. The mesh never uses it; another user of the same undici does, and finds it
 * behind a function that loads it. In a bundle, or with a loader that has no cache of modules, undici loads it at once, as ever.
 */
function withLateHttp2(load) {
  const { path, cache } = placeOfHttp2();
  if (path === undefined || cache === undefined || cache[path] !== undefined) return load();
  let connect;
  const { Module } = process.getBuiltinModule("node:module");
  const inPlace = new Module(path);
  inPlace.exports = (...values) => {
    connect ??= require("undici/lib/dispatcher/client-h2.js");
    return connect(...values);
  };
  inPlace.filename = path;
  inPlace.loaded = true;
  cache[path] = inPlace;
  try {
    return load();
  } finally {
    // What asks for the file itself gets the file.
    if (cache[path] === inPlace) delete cache[path];
  }
}

/** The path of that file and the cache of modules; nothing where there is no such file, as in a bundle. */
function placeOfHttp2() {
  try {
    // Not the `require` of this file, of which a bundler leaves nothing but its calls.
    const { createRequire } = process.getBuiltinModule("node:module");
    const { cache, resolve } = createRequire(__filename);
    return { path: resolve("undici/lib/dispatcher/client-h2.js"), cache };
  } catch {
    return {};
  }
}
