/** A fenced block of code. */
export interface CodeBlock {
  /** The word behind the opening fence: `ts`, `sh`. */
  readonly language: string;
  readonly code: string;
  /** The line of the first line of code, from 1. */
  readonly line: number;
  /** The file that `<!-- example: FILE -->` on the line before names. */
  readonly example: string | undefined;
}

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** The fragment of links to it, as GitHub derives it from the text. */
  readonly anchor: string;
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** A page in the parts that tests look at. */
export interface Page {
  readonly blocks: readonly CodeBlock[];
  readonly headings: readonly Heading[];
  readonly links: readonly Link[];
  /** The page without its blocks of code, by line; a line of code is empty. */
  readonly prose: readonly string[];
}

const fence = /^\s*(`{3,}|~{3,})\s*(\S*)/;
const exampleComment = /^\s*<!--\s*example:\s*(\S+)\s*-->\s*$/;
const inlineLink = /!?\[(?:[^[\]]|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const htmlLink = /<(?:img|a|source)\b[^>]*?\s(?:src|href|srcset)="([^"\s]+)"/g;
const referenceLink = /^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/;

/** Reads the parts of a Markdown page. Throws when a block of code has no end. */
export function readPage(text: string): Page {
  const lines = text.split("\n");
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, marks, language = ""] = fence.exec(lines[index] ?? "") ?? [];
    if (marks === undefined) {
      prose.push(lines[index] ?? "");
      continue;
    }
    const end = lines.findIndex((line, at) => at > index && line.trim().startsWith(marks) && line.trim().replace(/[`~]/g, "") === "");
    if (end < 0) throw new Error(`line ${index + 1}: a block of code without an end`);
    const indent = /^\s*/.exec(lines[index] ?? "")?.[0].length ?? 0;
    const code = lines.slice(index + 1, end).map((line) => line.slice(Math.min(indent, /^\s*/.exec(line)?.[0].length ?? 0)));
    const [, example] = exampleComment.exec(lines[index - 1] ?? "") ?? [];
    blocks.push({ language, code: `${code.join("\n")}\n`, line: index + 2, example });
    prose.push(...Array.from({ length: end - index + 1 }, () => ""));
    index = end;
  }
  return { blocks, prose, headings: headingsOf(prose), links: linksOf(prose) };
}

function headingsOf(prose: readonly string[]): readonly Heading[] {
  const headings: Heading[] = [];
  const used = new Map<string, number>();
  for (const [index, line] of prose.entries()) {
    const [, marks, title] = /^(#{1,6})\s+(.+?)\s*#*\s*$/.exec(line) ?? [];
    if (marks === undefined || title === undefined) continue;
    const text = title.replace(/[`*]/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const plain = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const before = used.get(plain) ?? 0;
    used.set(plain, before + 1);
    headings.push({ level: marks.length, text, anchor: before === 0 ? plain : `${plain}-${before}`, line: index + 1 });
  }
  return headings;
}

function linksOf(prose: readonly string[]): readonly Link[] {
  return prose.flatMap((line, index) => {
    // A link in `code` is none.
    const text = line.replace(/(`+)[^`]+\1/g, "");
    const targets = [...text.matchAll(inlineLink), ...text.matchAll(htmlLink)].map(([, target]) => target);
    const [, reference] = referenceLink.exec(text) ?? [];
    return [...targets, reference].flatMap((target) => (target === undefined ? [] : [{ target, line: index + 1 }]));
  });
}
