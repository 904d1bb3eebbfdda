import { quoted } from "../core/text/clean-text.ts";

const schemePrefix = /^[a-z][a-z0-9+.-]*:\/\//i;
const maxLength = 100;

/** A URL, or text that was meant to be one, as messages show it: shortened, without query and user information, which may be secrets. */
export function shownUrl(text: string): string {
  const queryAt = text.search(/[?#]/);
  const bare = queryAt < 0 ? text : text.slice(0, queryAt);
  const prefix = schemePrefix.exec(bare)?.[0] ?? "";
  const at = bare.lastIndexOf("@");
  if (at >= 0) return quoted(shortened(`${prefix}…@${bare.slice(at + 1)}`));
  const [name = ""] = bare.slice(prefix.length).split("/");
  // A password that contains a question mark.
  if (name.includes(":") && text.includes("@")) return quoted(`${prefix}…`);
  return quoted(`${shortened(bare)}${queryAt < 0 || text[queryAt] === "#" ? "" : "?…"}`);
}

function shortened(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
