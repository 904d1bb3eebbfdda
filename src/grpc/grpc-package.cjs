// CommonJS, since only its `require` is synchronous and seen by every bundler. The clients of an application have the same copy of the package.
exports.load = () => require("@grpc/grpc-js");
exports.version = () => require("@grpc/grpc-js/package.json").version;
