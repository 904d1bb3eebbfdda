// CommonJS, since only its `require` is all of late, synchronous and seen by every bundler. Within a try, by which a bundler sees that the package may be
// missing: few policies have regular expressions.
exports.loadRe2 = () => {
  try {
    return require("re2js");
  } catch (error) {
    throw new Error("re2js cannot be loaded", { cause: error });
  }
};
