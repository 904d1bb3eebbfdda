/** The text of a page with `body` between the marks `begin` and `end`, in place of the part that is there. */
export function withPart(text: string, begin: string, end: string, body: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} before ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`;
}
