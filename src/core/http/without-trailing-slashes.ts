/** `text` without the slashes at its end, in linear time: `/\/+$/` looks at each slash again for each slash before it. */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "/") end--;
  return text.slice(0, end);
}
