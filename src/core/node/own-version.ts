/** The version of this package, as `package.json` has it. */
export const ownVersion = "0.1.0";
