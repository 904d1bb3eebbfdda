/** A text without the hyphens that it begins and ends with, in linear time: a label of a host name has none there. */
export function withoutHyphensAround(text: string): string {
  let [from, to] = [0, text.length];
  while (text[from] === "-") from++;
  while (to > from && text[to - 1] === "-") to--;
  return text.slice(from, to);
}
