// CommonJS, since only its `require` is all of late, synchronous and seen by every bundler.
exports.loadYaml = () => require("yaml");
