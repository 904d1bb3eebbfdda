import { checkIdentityPattern } from "../conditions/identity-pattern.ts";
import { pathProblem } from "../conditions/strict-path.ts";

/** An audit record has no more of a path. */
const maxPath = 2_048;

/** Whether rules can have exactly these as texts: a path with braces would be a template, a name with a slash at its end all below it. */
export function isNameable(method: string, path: string, identity: string | undefined): boolean {
  if (!/^[A-Z\d!#$%&'+.^_`|~-]+$/.test(method) || /[{}*?]/.test(path) || path.length >= maxPath || pathProblem(path) !== undefined)
    return false;
  if (identity === undefined) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a policy refuses them in every text.
  if (identity === "" || identity.endsWith("/") || /[\0-\x1f\x7f]/.test(identity)) return false;
  try {
    checkIdentityPattern(identity);
    return identity !== "*";
  } catch {
    return false;
  }
}
