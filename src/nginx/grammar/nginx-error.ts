import { DocumentError, type Place } from "../../documents/document-error.ts";

/** A file of nginx cannot be used. The message says which file, line and column, which directive, and why. */
export class NginxError extends DocumentError {
  override readonly name = "NginxError";

  constructor(source: string, problem: string, place?: Place) {
    super(source, withoutPassword(problem), place);
  }
}

/** Messages quote words of the file, of which a URL may have user and password. */
function withoutPassword(text: string): string {
  const parts = text.split("@");
  const last = parts.pop() ?? "";
  return [...parts.map(withoutLastWord), last].join("@");
}

/** From the end, so that each character is looked at once. */
function withoutLastWord(text: string): string {
  let end = text.length;
  while (end > 0 && !/[\s"'/]/.test(text[end - 1] as string)) end--;
  return end === text.length ? text : `${text.slice(0, end)}…`;
}
