import ts from "typescript";

/** A place in a source that gives an error its code. */
export interface RaisingPlace {
  readonly code: string;
  /** `policies/throttle.ts: throttle`, `mesh/services.ts: Services.#makeRoom`: the file, and the outermost named function or method. */
  readonly place: string;
}

const codePattern = /^ERR_MESH_[A-Z_]+$/;

/**
 * The places of a source that raise a `MeshError`. Where `new MeshError(…)` has a literal code, that call is the place. Where the code
 * is computed, the places are those that write a code as a value anywhere in the same file; comparisons, cases and types write none.
 * @param path relative to `src`
 */
export function raisingPlacesOf(path: string, text: string): readonly RaisingPlace[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const literal: RaisingPlace[] = [];
  const values: RaisingPlace[] = [];
  let isComputed = false;
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText(source) === "MeshError") {
      const code = node.arguments?.[0];
      if (code !== undefined && ts.isStringLiteralLike(code)) literal.push({ code: code.text, place: `${path}: ${placeOf(node)}` });
      else isComputed = true;
    } else if (ts.isStringLiteralLike(node) && codePattern.test(node.text) && isValue(node)) {
      values.push({ code: node.text, place: `${path}: ${placeOf(node)}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (!isComputed) return literal;
  if (values.length === 0) return [{ code: "?", place: `${path}: a code that is computed elsewhere` }];
  return values;
}

function isValue({ parent }: ts.Node): boolean {
  if (ts.isCaseClause(parent) || ts.isLiteralTypeNode(parent)) return false;
  return !(ts.isBinaryExpression(parent) && /^[!=]==?$/.test(parent.operatorToken.getText()));
}

/** The outermost named function, method, class member or variable around a node. */
function placeOf(node: ts.Node): string {
  let place = "the module";
  for (let each = node.parent; each !== undefined; each = each.parent) {
    if (ts.isClassDeclaration(each)) return `${each.name?.text ?? "a class"}.${place}`;
    if (ts.isConstructorDeclaration(each)) place = "constructor";
    else if (isNamedDeclaration(each) && each.name !== undefined) place = each.name.getText();
  }
  return place;
}

function isNamedDeclaration(
  node: ts.Node,
): node is ts.FunctionDeclaration | ts.MethodDeclaration | ts.PropertyDeclaration | ts.VariableDeclaration {
  return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node);
}
