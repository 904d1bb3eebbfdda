import { loadSemver } from "./semver-package.cjs";

/** Tells whether a version is in a range; a text that is no version is in none. */
export type VersionRange = (version: string) => boolean;

/** Longer ones are no versions: `semver` has the same bound. */
const maxLength = 256;
/** Texts that are remembered: versions come from callers. */
const maxRemembered = 64;
const versionForm = /^v?\d{1,15}(?:\.\d{1,15}){0,2}(?:[-+][\w.+-]*)?$/;

/**
 * Compiles a range of semver: `2`, `^1.4`, `>=1.2 <3`. A version may leave out its later parts: `v2` is 2.0.0.
 * @throws Error for a text that is no range.
 */
export function versionRange(range: string): VersionRange {
  const { coerce, satisfies, validRange } = loadSemver();
  if (range.length > maxLength || validRange(range) === null) throw new Error("it is no range of semver, such as ^2.1 or >=1.2 <3");
  const known = new Map<string, boolean>();
  return (version) => {
    const before = known.get(version);
    if (before !== undefined) return before;
    const isVersion = version.length <= maxLength && versionForm.test(version);
    const parsed = isVersion ? coerce(version, { includePrerelease: true }) : null;
    const isIn = parsed !== null && satisfies(parsed, range);
    if (known.size >= maxRemembered) known.clear();
    known.set(version, isIn);
    return isIn;
  };
}
