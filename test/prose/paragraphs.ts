import type { Page } from "../docs/markdown.ts";
import type { Comment } from "./comments.ts";

/** Prose that belongs together: a paragraph, a heading, a list item or a row of a table, with the lines as they are in its file. */
export interface Paragraph {
  readonly path: string;
  /** The line of its file that it begins in, from 1. */
  readonly line: number;
  readonly text: string;
  /** It is the first paragraph of a doc comment. */
  readonly opensDocComment: boolean;
}

/** A place in a paragraph that breaks a rule. */
export interface Finding {
  /** `docs/concepts.md:12`. */
  readonly at: string;
  readonly reason: string;
  readonly sentence: string;
}

/** The paragraphs of the comments of a source; blocks of code in them are left out. */
export function paragraphsOfComments(path: string, comments: readonly Comment[]): readonly Paragraph[] {
  return comments.flatMap(({ text, line, kind }) => {
    const paragraphs = paragraphsOf(path, line, withoutFences(text.split("\n")));
    return paragraphs.map((paragraph, index) => ({ ...paragraph, opensDocComment: kind === "doc" && index === 0 }));
  });
}

/** The paragraphs of a page without its blocks of code. */
export function paragraphsOfPage(path: string, { prose }: Page): readonly Paragraph[] {
  return paragraphsOf(path, 1, prose);
}

function withoutFences(lines: readonly string[]): readonly string[] {
  let isCode = false;
  return lines.map((line) => {
    if (!line.trimStart().startsWith("```")) return isCode ? "" : line;
    isCode = !isCode;
    return "";
  });
}

/** A line that begins a paragraph of its own: a heading, a row, a list item, a tag of a doc comment. */
const opening = /^\s*(#{1,6}\s|\||[-*+]\s|\d+[.)]\s|@[a-z])/;

function paragraphsOf(path: string, firstLine: number, lines: readonly string[]): readonly Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") {
      isOpen = false;
      continue;
    }
    const last = paragraphs.at(-1);
    if (isOpen && last !== undefined && !opening.test(line)) {
      paragraphs[paragraphs.length - 1] = { ...last, text: `${last.text}\n${line}` };
    } else paragraphs.push({ path, line: firstLine + index, text: line, opensDocComment: false });
    isOpen = true;
  }
  return paragraphs;
}

const notProse = [
  /(`+)[^`][\s\S]*?\1/g, // code
  /"[^"]*"|“[^”]*”/g, // quoted
  /\]\([^)\s]*\)/g, // where a link leads
  /<!--[\s\S]*?-->/g,
  /\{@\w+[^}]*\}/g,
];

/** The text with spaces in place of code, quotations and addresses, as long as it was. */
export function masked(text: string): string {
  return notProse.reduce((rest, pattern) => rest.replace(pattern, (found) => found.replace(/[^\n]/g, " ")), text);
}

/** A finding in the sentence around a place of the paragraph. */
export function findingAt({ path, line, text }: Paragraph, index: number, reason: string): Finding {
  const at = `${path}:${line + text.slice(0, index).split("\n").length - 1}`;
  const ends = [...text.matchAll(/[.!?](?=\s)|\s\|\s/g)].map((end) => end.index + end[0].length);
  const start = ends.findLast((end) => end <= index) ?? 0;
  const end = ends.find((each) => each > index) ?? text.length;
  return { at, reason, sentence: text.slice(start, end).replace(/\s+/g, " ").trim() };
}
