/** A path or target up to its query, which may hold secrets. `mark` stands in the place of a query that was there. */
export function withoutQuery(target: string, mark = ""): string {
  const question = target.indexOf("?");
  return question < 0 ? target : `${target.slice(0, question)}${mark}`;
}
