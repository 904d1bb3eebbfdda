// node docs/options-tables.ts [--write]: the tables of docs/reference/options.md, from the types of the options and their doc comments;
// with --write it puts them in their place there.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const sources = new URL("../src/", import.meta.url).pathname;
const page = new URL("reference/options.md", import.meta.url);
const begin = "<!-- tables: written by docs/options-tables.ts -->";
const end = "<!-- end of tables -->";

/** An option as its type declares it. */
interface Option {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: ts.TypeNode | undefined;
  /** Its doc comment on one line. */
  readonly text: string;
  readonly defaultText: string | undefined;
}

/** A table of options that belong together. */
interface Group {
  /** `retry.budget`, or the heading of a level. */
  readonly title: string;
  readonly options: readonly Option[];
}

type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

function declarations(): ReadonlyMap<string, Declaration> {
  const found = new Map<string, Declaration>();
  for (const name of readdirSync(sources, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const source = ts.createSourceFile(name, readFileSync(join(sources, name), "utf8"), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) found.set(statement.name.text, statement);
    }
  }
  return found;
}

const declared = declarations();

/** The options of a type with those that it extends or is a union of; the first of several with one name. */
function optionsOf(name: string, own = false): readonly Option[] {
  const declaration = declared.get(name);
  if (declaration === undefined) return [];
  const members: Option[] = ts.isInterfaceDeclaration(declaration)
    ? declaration.members.filter(ts.isPropertySignature).map(optionOf)
    : optionsOfType(declaration.type);
  const parents = ts.isInterfaceDeclaration(declaration) && !own ? (declaration.heritageClauses ?? []) : [];
  const inherited = parents.flatMap(({ types }) => types.flatMap(({ expression }) => optionsOf(expression.getText())));
  const all = [...members, ...inherited];
  return all.filter((option, index) => all.findIndex((each) => each.name === option.name) === index);
}

function optionsOfType(type: ts.TypeNode): Option[] {
  if (ts.isTypeLiteralNode(type)) return type.members.filter(ts.isPropertySignature).map(optionOf);
  if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) return type.types.flatMap(optionsOfType);
  if (ts.isParenthesizedTypeNode(type)) return optionsOfType(type.type);
  return ts.isTypeReferenceNode(type) ? [...optionsOf(type.typeName.getText())] : [];
}

function optionOf(member: ts.PropertySignature): Option {
  const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
  return {
    name: member.name.getText(),
    isRequired: member.questionToken === undefined,
    type: member.type,
    text: plain(comment?.comment),
    defaultText: tag === undefined ? undefined : plain(tag.comment),
  };
}

function plain(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  const text =
    typeof comment === "string"
      ? comment
      : (comment ?? []).map((part) => (ts.isJSDocLink(part) ? `\`${part.name?.getText() ?? ""}\`` : part.text)).join("");
  return text
    .replace(/\s+/g, " ")
    .replace(/(?<!\\)\|/g, "\\|")
    .trim();
}

/** The type that an option's own options have, where it is a group. */
function groupTypeOf({ type }: Option): string | undefined {
  const parts = type === undefined ? [] : ts.isUnionTypeNode(type) ? type.types : [type];
  return parts.flatMap((part) =>
    ts.isTypeReferenceNode(part) && /Options$/.test(part.typeName.getText()) ? [part.typeName.getText()] : [],
  )[0];
}

/** The groups in a group, depth first. */
function groupsIn(path: string, options: readonly Option[]): readonly Group[] {
  return options.flatMap((option) => {
    const type = groupTypeOf(option);
    if (type === undefined) return [];
    const title = `${path}${option.name}`;
    const inner = optionsOf(type);
    return [{ title, options: inner }, ...groupsIn(`${title}.`, inner)];
  });
}

function rowOf(path: string, option: Option): string {
  const isGroup = groupTypeOf(option) !== undefined;
  const anchor = `${path}${option.name}`.toLowerCase().replace(/[^\w-]/g, "");
  const name = isGroup ? `[\`${option.name}\`](#${anchor})` : `\`${option.name}\``;
  const code = (text: string): string => (/^[\w"[\]{}.() -]+$/.test(text) && !/ [a-z]/.test(text) ? `\`${text}\`` : text);
  const value = option.defaultText !== undefined ? code(option.defaultText) : option.isRequired ? "required" : isGroup ? "see below" : "";
  return `| ${name} | ${value} | ${option.text} |`;
}

function tableOf(path: string, options: readonly Option[]): readonly string[] {
  return ["| option | default | meaning |", "|---|---|---|", ...options.map((option) => rowOf(path, option))];
}

function optionsTables(): string {
  const ofService = optionsOf("ServiceOptions");
  const levels = [
    { title: "The mesh only", options: optionsOf("MeshOptions", true) },
    { title: "The mesh or a service", options: ofService },
    { title: "A call", options: optionsOf("CallOptions") },
  ];
  const groups = [...groupsIn("", ofService), ...groupsIn("", levels[0]?.options ?? [])];
  return [
    ...levels.flatMap(({ title, options }) => [`## ${title}`, "", ...tableOf("", options), ""]),
    "## Groups",
    "",
    ...groups.flatMap(({ title, options }) => [`### ${title}`, "", ...tableOf(`${title}.`, options), ""]),
  ]
    .join("\n")
    .trimEnd();
}

/** The text of `docs/reference/options.md` with the tables as they should be. */
export function withOptionsTables(text: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} before ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${optionsTables()}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(page, withOptionsTables(readFileSync(page, "utf8")));
  else process.stdout.write(`${optionsTables()}\n`);
}
