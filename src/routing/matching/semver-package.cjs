// CommonJS, since only its `require` is all of late, synchronous and seen by every bundler: few routes look at versions.
exports.loadSemver = () => ({
  coerce: require("semver/functions/coerce"),
  satisfies: require("semver/functions/satisfies"),
  validRange: require("semver/ranges/valid"),
});
