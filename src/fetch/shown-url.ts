const schemePrefix = /^[a-z][a-z0-9+.-]*:\/\//i;
const maxLength = 100;

/** A URL, or a text in its place, for a message: without query and user information, which may be secrets. */
export function shownUrl(text: string): string {
  const queryAt = text.search(/[?#]/);
  const bare = queryAt < 0 ? text : text.slice(0, queryAt);
  const prefix = schemePrefix.exec(bare)?.[0] ?? "";
  const at = bare.lastIndexOf("@");
  if (at >= 0) return JSON.stringify(shortened(`${prefix}…@${bare.slice(at + 1)}`));
  const [name = ""] = bare.slice(prefix.length).split("/");
  // A password may have a question mark in it.
  if (name.includes(":") && text.includes("@")) return JSON.stringify(`${prefix}…`);
  return JSON.stringify(`${shortened(bare)}${queryAt < 0 || text[queryAt] === "#" ? "" : "?…"}`);
}

function shortened(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
