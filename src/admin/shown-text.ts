const maxLength = 500;

/**
 * `text` without the query of any path or URL in it, which may hold a token, and of a length that a page can show. What else is in it is
 * left as it is: whoever shows it must show it as text.
 */
export function shownText(text: string): string {
  // A question mark that ends a sentence is followed by white space, a quote or nothing.
  const bare = text.replace(/\?[^\s"'`)\]>]+/g, "?…").replace(/(\w+:\/\/)[^\s/@"']+@/g, "$1…@");
  return bare.length > maxLength ? `${bare.slice(0, maxLength)}…` : bare;
}
