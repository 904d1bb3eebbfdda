import ts from "typescript";

/** A comment of a TypeScript source; line comments that stand below each other are one. */
export interface Comment {
  /** Without its marks (`/**`, leading `*`, `//`), as many lines as the comment has. */
  readonly text: string;
  /** The line that it begins in, from 1. */
  readonly line: number;
  readonly kind: "doc" | "block" | "line";
}

/** Every comment of a source, in order. Text that looks like a comment inside of strings, templates and expressions is none. */
export function commentsOf(source: ts.SourceFile): readonly Comment[] {
  const { text } = source;
  const ranges = new Map<number, ts.CommentRange>();
  const collect = (found: readonly ts.CommentRange[] | undefined): void => {
    for (const range of found ?? []) ranges.set(range.pos, range);
  };
  const visit = (node: ts.Node): void => {
    // The parser keeps doc comments as nodes of their own; their text is found as a range like that of all others.
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return;
    const children = node.getChildren(source);
    for (const child of children) visit(child);
    if (children.length > 0) return;
    collect(ts.getLeadingCommentRanges(text, node.pos === 0 ? (ts.getShebang(text) ?? "").length : node.pos));
    collect(ts.getTrailingCommentRanges(text, node.end));
  };
  visit(source);
  const inOrder = [...ranges.values()].sort((a, b) => a.pos - b.pos);
  return joined(inOrder.map((range) => readComment(source, range)));
}

function readComment(source: ts.SourceFile, { pos, end, kind }: ts.CommentRange): Comment & { readonly isAlone: boolean } {
  const { text } = source;
  const { line, character } = source.getLineAndCharacterOfPosition(pos);
  const isAlone = text.slice(pos - character, pos).trim() === "";
  if (kind === ts.SyntaxKind.SingleLineCommentTrivia) {
    return { text: text.slice(pos + 2, end).trim(), line: line + 1, kind: "line", isAlone };
  }
  const isDoc = text.startsWith("/**", pos);
  const inner = text.slice(pos + (isDoc ? 3 : 2), end - 2);
  const lines = inner.split("\n").map((each) => each.replace(/^\s*\*?\s?/, "").trimEnd());
  return { text: lines.join("\n"), line: line + 1, kind: isDoc ? "doc" : "block", isAlone };
}

/** Line comments on lines that follow each other become one; one behind code begins anew. */
function joined(comments: readonly (Comment & { readonly isAlone: boolean })[]): readonly Comment[] {
  const result: Comment[] = [];
  let nextLine = 0;
  for (const { isAlone, ...comment } of comments) {
    const last = result.at(-1);
    if (comment.kind === "line" && isAlone && last?.kind === "line" && comment.line === nextLine) {
      result[result.length - 1] = { ...last, text: `${last.text}\n${comment.text}` };
    } else result.push(comment);
    nextLine = comment.kind === "line" ? comment.line + 1 : 0;
  }
  return result;
}
