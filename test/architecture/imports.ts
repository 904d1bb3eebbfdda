import ts from "typescript";
import { type LongFunction, longFunctionsOf } from "./functions.ts";

/** One place where a module names another one. */
export interface Import {
  /** As written: `../core/clock.ts`, `node:fs`, `undici`; `undefined` where it is computed and cannot be checked. */
  readonly specifier: string | undefined;
  /** Gone at run time: `import type`, `export type … from` or `import("…").Name` in a type. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

/** A module as far as the rules concern it. */
export interface ModuleFacts {
  readonly imports: readonly Import[];
  readonly lines: number;
  readonly hasDefaultExport: boolean;
  /** It consists of `export … from` alone. */
  readonly isTableOfContents: boolean;
  readonly longFunctions: readonly LongFunction[];
}

/** Above it a function needs a reason. */
export const maxFunctionLines = 60;

/**
 * Reads the imports of a module: static, dynamic, `export … from`, types, and every call with the name of one of `packages`
 * as its only argument, which is how a CommonJS vendor is loaded by `require`, whatever that is called there.
 */
export function readModule(path: string, text: string, packages: ReadonlySet<string>): ModuleFacts {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const imports: Import[] = [];
  let hasDefaultExport = false;

  const add = (node: ts.Node, specifier: ts.Node | undefined, isTypeOnly: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    imports.push({
      specifier: specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : undefined,
      isTypeOnly,
      line,
    });
  };

  const visitCall = (node: ts.CallExpression): void => {
    const [first, ...rest] = node.arguments;
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node, first, false);
    else if (ts.isIdentifier(node.expression) && node.expression.text === "require") add(node, first, false);
    else if (first !== undefined && rest.length === 0 && ts.isStringLiteralLike(first) && packages.has(packageOf(first.text))) {
      add(node, first, false);
    }
  };

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) add(node, node.moduleSpecifier, node.isTypeOnly);
      const { exportClause } = node;
      if (exportClause === undefined) return;
      const names = ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : [exportClause.name.text];
      if (names.includes("default")) hasDefaultExport = true;
    } else if (ts.isExportAssignment(node)) hasDefaultExport = true;
    else if (ts.isImportTypeNode(node)) add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node)) visitCall(node);
    else if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) {
      hasDefaultExport = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);

  return {
    imports,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    hasDefaultExport,
    isTableOfContents: source.statements.every((each) => ts.isExportDeclaration(each) && each.moduleSpecifier !== undefined),
    longFunctions: longFunctionsOf(source, maxFunctionLines),
  };
}

/** The package of a bare specifier: `@opentelemetry/api` of `@opentelemetry/api/x`, `undici` of `undici/lib/y.js`. */
export function packageOf(specifier: string): string {
  const [scope = "", name = ""] = specifier.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}
