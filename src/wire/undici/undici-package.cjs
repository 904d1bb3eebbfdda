// CommonJS, as undici is: an import of one of its files has Node read it once more, for the names that it exports.
exports.load = () => ({
  Pool: require("undici/lib/dispatcher/pool.js"),
  Dispatcher: require("undici/lib/dispatcher/dispatcher.js"),
  Request: require("undici/lib/core/request.js"),
  errors: require("undici/lib/core/errors.js"),
});
// For dispatchers, which few programs make.
exports.loadAgent = () => require("undici/lib/dispatcher/agent.js");
exports.loadMethods = () => require("undici/lib/api/index.js");
