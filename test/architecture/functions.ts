import ts from "typescript";

/** A function of more lines than a reader takes in at once. */
export interface LongFunction {
  /** Its own name, or that of the variable or property that it is assigned to. */
  readonly name: string;
  /** The line that it begins in, from 1. */
  readonly line: number;
  readonly lines: number;
}

const reason = /\bOver \d+ lines: \S/;
const comment = /^\s*(\/\/|\/?\*)/;

/**
 * The functions of a source that have more than `maxLines`, from their signature to their closing brace, without a comment directly above
 * that says why: `// Over 60 lines: …`. Methods, accessors, constructors and arrow functions are functions; classes are none.
 */
export function longFunctionsOf(source: ts.SourceFile, maxLines: number): readonly LongFunction[] {
  const found: LongFunction[] = [];
  const rows = source.text.split("\n");
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
    const lines = source.getLineAndCharacterOfPosition(node.end).line - first + 1;
    if (lines > maxLines && !reason.test(commentAbove(rows, first))) found.push({ name: nameOf(node, source), line: first + 1, lines });
  };
  visit(source);
  return found;
}

/** The comment lines directly above the row with this index. */
function commentAbove(rows: readonly string[], index: number): string {
  let first = index;
  while (first > 0 && comment.test(rows[first - 1] ?? "")) first--;
  return rows.slice(first, index).join("\n");
}

function nameOf(node: ts.SignatureDeclaration, source: ts.SourceFile): string {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const { parent } = node;
  const named = node.name ?? (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent) ? parent.name : undefined);
  return named?.getText(source) ?? (ts.isPropertyAssignment(parent) ? parent.name.getText(source) : "a function without a name");
}
