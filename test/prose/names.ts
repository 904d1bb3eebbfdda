import ts from "typescript";
import { type Finding, findingAt, type Paragraph } from "./paragraphs.ts";

/** The names that code has. */
export interface KnownNames {
  /** Every identifier, and every string that looks like one: options, events, keys. */
  readonly words: ReadonlySet<string>;
  /** The members of classes, interfaces, types and objects, by the name of their declaration. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads the names of sources. */
export function knownNames(sources: Iterable<ts.SourceFile>): KnownNames {
  const words = new Set<string>();
  const members = new Map<string, Set<string>>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) words.add(node.text);
    else if (ts.isPrivateIdentifier(node)) words.add(node.text.slice(1));
    else if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node))
      for (const word of node.text.match(/[\w$.-]+/g) ?? []) words.add(word);
    if (isNamedDeclaration(node)) {
      const own = members.get(node.name.text) ?? new Set<string>();
      members.set(node.name.text, own);
      for (const name of memberNamesOf(node)) own.add(name);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of sources) visit(source);
  return { words, members };
}

type NamedDeclaration = (
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.VariableDeclaration
  | ts.FunctionDeclaration
) & {
  readonly name: ts.Identifier;
};

function isNamedDeclaration(node: ts.Node): node is NamedDeclaration {
  const isOfKind =
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isVariableDeclaration(node) ||
    ts.isFunctionDeclaration(node);
  return isOfKind && node.name !== undefined && ts.isIdentifier(node.name);
}

/** Every property and method below a declaration, however deep: `Choice` of a union has the members of all of its parts. */
function memberNamesOf(declaration: ts.Node): readonly string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    const isMember =
      ts.isPropertySignature(node) ||
      ts.isMethodSignature(node) ||
      ts.isPropertyDeclaration(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isGetAccessor(node) ||
      ts.isPropertyAssignment(node) ||
      ts.isShorthandPropertyAssignment(node);
    if (isMember) names.push(node.name.getText(declaration.getSourceFile()).replace(/^["'#]|["']$/g, ""));
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return names;
}

/** The names that a source declares or imports, whatever their depth, and with them its members. */
export function namesInScopeOf(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if ("name" in node && node.name !== undefined && ts.isIdentifier(node.name as ts.Node)) names.add((node.name as ts.Identifier).text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

/** The names that a source exports where it declares them. */
export function exportedNamesOf(source: ts.SourceFile): readonly string[] {
  return source.statements.flatMap((statement) => {
    const isExported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) return [];
    const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
    return declared.flatMap((each) => ("name" in each && each.name !== undefined ? [(each.name as ts.Node).getText(source)] : []));
  });
}

/**
 * `{@link Name}` and `{@link Name.member}` of names that do not exist.
 * @param inScope the names that the file of the comment declares or imports
 * @param exported the names that any file exports
 */
export function deadLinksOf(
  paragraph: Paragraph,
  inScope: ReadonlySet<string>,
  exported: ReadonlySet<string>,
  { members }: Pick<KnownNames, "members">,
): readonly Finding[] {
  const links = [...paragraph.text.matchAll(/\{@link(?:code|plain)?\s+([^\s}|]+)/g)];
  return links.flatMap(({ 1: target = "", index }) => {
    if (/^[a-z][a-z+.-]*:\/\//.test(target)) return [];
    const [name = "", ...rest] = target.replace(/\(\)$/, "").split(".");
    const isKnown = inScope.has(name) || exported.has(name);
    const [member] = rest;
    if (isKnown && (member === undefined || members.get(name)?.has(member))) return [];
    return [findingAt(paragraph, index, isKnown ? `${name} has no member ${member}` : `{@link ${target}}: no such name`)];
  });
}

const call = /^(?:await |new |\.)?((?:[\w$]+\??\.)*[\w$]+)\(.*\)$/s;
const dotted = /^[a-zA-Z_$][\w$]*(?:\??\.[a-zA-Z_$][\w$]*)*$/;
const fileName = /\.(?:ts|js|mjs|cjs|md|json|ya?ml|svg|png|html|css|txt|tgz|prom|rules|pem|exe|sh)$/;

/**
 * Names in `code` that no code has: calls (`retry()`), words with a capital inside (`maxAttempts`, `MeshOptions`), and both with dots.
 * A single lower-case word without a call may be anything, and is not looked at.
 */
export function deadNamesOf(paragraph: Paragraph, { words }: Pick<KnownNames, "words">): readonly Finding[] {
  return [...paragraph.text.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].flatMap(({ 1: code = "", index }) => {
    if (fileName.test(code) || !(call.test(code) || dotted.test(code))) return [];
    const [, called] = call.exec(code) ?? [];
    const names = (called ?? code).split(/\??\./);
    const looked = names.filter((name, at) => /[a-z0-9][A-Z]/.test(name) || (called !== undefined && at === names.length - 1));
    return looked.filter((name) => !words.has(name)).map((name) => findingAt(paragraph, index, `no code has the name ${name}`));
  });
}

const errorCode = /\bERR_MESH_[A-Z_]*[A-Z]\b/g;
const telemetryName = /(?<=`)inmesh\.[a-z_]+(?:\.[a-z_]+)*(?=`)/g;
const header = /(?<=`)x-mesh-[a-z-]+/g;

/** Codes, metrics and headers that no code has. */
export function deadTextsOf(paragraph: Paragraph, { words }: Pick<KnownNames, "words">): readonly Finding[] {
  return [errorCode, telemetryName, header].flatMap((pattern) =>
    [...paragraph.text.matchAll(pattern)]
      .filter(([name]) => !words.has(name))
      .map(({ 0: name, index }) => findingAt(paragraph, index, `no code has ${name}`)),
  );
}
