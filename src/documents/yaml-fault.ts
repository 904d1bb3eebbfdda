/**
 * A message of the package without what it quotes of the text: a password that is not in quotes may begin as a tag or an alias does. Signs such as `}` stay, and so
 * does a place.
 */
export function withoutText(message: string): string {
  const placed = / at line \d+, column \d+/.exec(message);
  // Behind the place stand lines of the text.
  const said = placed === null ? message : message.slice(0, placed.index);
  const colon = said.indexOf(": ");
  const isSign = /^"[^\w"]{1,3}"$/.test(said.slice(colon + 2));
  return `${colon === -1 || isSign ? said : said.slice(0, colon)}${placed?.[0] ?? ""}`;
}
