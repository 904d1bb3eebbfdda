// CommonJS, as opossum is: an import has Node read it once more, for the names that it exports.
exports.load = () => require("opossum");
