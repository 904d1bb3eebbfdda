/**
 * The path of a request target, without query: `/a` of `/a?b`, of `http://host/a` and of `*` that itself. `undefined` for a target of another form, such as
 * one with a user.
 */
export function pathOfTarget(target: string): string | undefined {
  const query = target.indexOf("?");
  const whole = query === -1 ? target : target.slice(0, query);
  if (whole.startsWith("/") || whole === "*") return whole;
  const path = /^https?:\/\/[^/\\#@\s]+(\/.*)?$/is.exec(whole);
  return path === null ? undefined : (path[1] ?? "/");
}

/** Parts that no ordinary path has: one with any is looked at closely. */
const suspicious = /[\0-\x20\x7f-\uffff\\#%]|\/\/|\/\.\.?(?:[/;]|$)/;
const control = /[\0-\x20\x7f]/;
/** Characters that mean the same whether they are encoded or not (RFC 3986 §2.3), and those that separate segments for some reader. */
const neverEncoded = /[\w.~\-/\\]/;

/**
 * Says why readers of a path may differ on it, so that a rule about it would be passed by; `undefined` for all others. Refused are dot segments, dots and separators that are encoded twice,
 * empty segments, backslashes, control characters, characters beyond ASCII that are not encoded, a fragment, and percent-encoding that is broken, needless, or stands for a separator.
 */
export function pathProblem(path: string): string | undefined {
  if (path === "*" || !path.startsWith("/")) return "the target is no path";
  if (!suspicious.test(path)) return undefined;
  if (path.includes("\\")) return "the path has a backslash";
  if (path.includes("#")) return "the path has a fragment";
  if (control.test(path)) return "the path has a control character";
  if (/[\x80-\uffff]/.test(path)) return "the path has a character beyond ASCII";
  if (path.includes("//")) return "the path has an empty segment";
  if (/\/\.\.?(?:[/;]|%3b|$)/i.test(path)) return "the path has a dot segment";
  // A reader that decodes twice, as one behind a proxy does, would see a dot or a separator.
  if (/%25(?:2e|2f|5c)/i.test(path)) return "the path has an encoded dot or separator in its encoding";
  for (let at = path.indexOf("%"); at !== -1; at = path.indexOf("%", at + 1)) {
    const digits = path.slice(at + 1, at + 3);
    if (!/^[\da-f]{2}$/i.test(digits)) return "the path has broken percent-encoding";
    const code = Number.parseInt(digits, 16);
    if (code < 0x20 || code === 0x7f) return "the path has an encoded control character";
    if (code < 0x80 && neverEncoded.test(String.fromCharCode(code))) return "the path has percent-encoding that it does not need";
  }
  return isUtf8(path) ? undefined : "the path has percent-encoding that is no UTF-8";
}

/** Readers take bytes that are none for various characters: the overlong form of a slash, for one. */
function isUtf8(path: string): boolean {
  if (!/%[89a-f]/i.test(path)) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
