/** A path or target without its query, which may hold secrets. `mark` replaces a query. */
export function withoutQuery(target: string, mark = ""): string {
  const question = target.indexOf("?");
  return question < 0 ? target : `${target.slice(0, question)}${mark}`;
}
