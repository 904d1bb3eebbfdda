import type * as Semver from "semver";

/** Loads the parts of the npm package `semver` that ranges need. */
export declare function loadSemver(): Pick<typeof Semver, "coerce" | "satisfies" | "validRange">;
