const maxLength = 500;

/**
 * `text` without the queries and user information of paths and URLs in it, which may hold secrets, cut to 500 characters. Anything else is
 * left as it is, so it must be shown as text and not as HTML.
 */
export function shownText(text: string): string {
  // A question mark that ends a sentence is followed by white space, a quote or nothing.
  const bare = text.replace(/\?[^\s"'`)\]>]+/g, "?…").replace(/(?<=:\/\/)[^\s/@"']+@/g, "…@");
  return bare.length > maxLength ? `${bare.slice(0, maxLength)}…` : bare;
}
