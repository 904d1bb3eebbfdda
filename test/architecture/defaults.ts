import ts from "typescript";

/** A default that a comment claims. */
export interface ClaimedDefault {
  /** `policies/throttle.ts:12`. */
  readonly at: string;
  /** The type that has the option, and the option. */
  readonly type: string;
  readonly option: string;
  /** As the comment writes it: `2`, `"safe"`, `the mesh's`. */
  readonly text: string;
}

/** A default that code gives an option. */
export interface GivenDefault {
  readonly option: string;
  /** The text of the expression. */
  readonly text: string;
}

const spoken = /\bDefault:? (?:`([^`]+)`|(\d[\d, ]*\d|\d)(?=\.(?:\s|$)|\s*$))/;

/** The defaults that the comments of options claim: by `@default`, or by "Default `x`" in a sentence. */
export function claimedDefaultsOf(path: string, source: ts.SourceFile): readonly ClaimedDefault[] {
  const found: ClaimedDefault[] = [];
  const visit = (node: ts.Node, type: string): void => {
    if (ts.isPropertySignature(node)) {
      const text = claimOf(node);
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      if (text !== undefined) found.push({ at: `${path}:${line}`, type, option: node.name.getText(source), text });
    }
    ts.forEachChild(node, (child) => visit(child, type));
  };
  for (const statement of source.statements)
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) visit(statement, statement.name.text);
  return found;
}

function claimOf(member: ts.PropertySignature): string | undefined {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
  if (tag !== undefined) return (ts.getTextOfJSDocComment(tag.comment) ?? "").replace(/\s+/g, " ").trim();
  const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const [, quoted, number] = spoken.exec(ts.getTextOfJSDocComment(comment?.comment) ?? "") ?? [];
  return quoted ?? number;
}

/** The variable that holds the table of each type's options in a source: `optionTable<ThrottleOptions>()({ … })`. */
export function tableVariablesOf(source: ts.SourceFile): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (node: ts.Node, variable: string): void => {
    if (ts.isCallExpression(node) && node.expression.getText(source) === "optionTable") {
      const type = node.typeArguments?.[0];
      if (type !== undefined) found.set(type.getText(source), variable);
    }
    ts.forEachChild(node, (child) => visit(child, ts.isVariableDeclaration(node) ? node.name.getText(source) : variable));
  };
  visit(source, "");
  return found;
}

/**
 * The values that a source gives to options that are absent: `{ ratio = 2 }`, `(ratio = 2)`, `options.ratio ?? 2`, the members of objects that are named
 * defaults, and the rules of tables: `ratio: number({ default: 2 })`, `retry: flag(true)`.
 */
export function givenDefaultsOf(source: ts.SourceFile): readonly GivenDefault[] {
  const found: GivenDefault[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBindingElement(node) && node.initializer !== undefined)
      found.push({ option: (node.propertyName ?? node.name).getText(source), text: node.initializer.getText(source) });
    if (ts.isParameter(node) && node.initializer !== undefined)
      found.push({ option: node.name.getText(source), text: node.initializer.getText(source) });
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
      const left = ts.isPropertyAccessExpression(node.left) ? node.left.name : node.left;
      if (ts.isIdentifier(left)) found.push({ option: left.text, text: node.right.getText(source) });
    }
    if (ts.isVariableDeclaration(node) && /^default/i.test(node.name.getText(source)) && node.initializer !== undefined)
      for (const { name, initializer } of membersOf(node.initializer)) found.push({ option: name, text: initializer.getText(source) });
    if (isTable(node, source))
      for (const { name, initializer } of membersOf(node.arguments[0] as ts.Expression))
        found.push(...literalsIn(initializer).map((text) => ({ option: name, text })));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTable(node: ts.Node, source: ts.SourceFile): node is ts.CallExpression {
  return ts.isCallExpression(node) && ts.isCallExpression(node.expression) && node.expression.expression.getText(source) === "optionTable";
}

/** The defaults in a rule: the property `default` at any depth, and arguments of calls that are literals. */
function literalsIn(rule: ts.Node): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === "default") found.push(node.initializer.getText());
    if (ts.isCallExpression(node))
      found.push(...node.arguments.map((each) => each.getText()).filter((text) => literalOf(text) !== undefined));
    ts.forEachChild(node, visit);
  };
  visit(rule);
  return found;
}

function membersOf(node: ts.Expression): readonly { readonly name: string; readonly initializer: ts.Expression }[] {
  const object = ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? node.expression : node;
  if (!ts.isObjectLiteralExpression(object)) return [];
  return object.properties.filter(ts.isPropertyAssignment).map(({ name, initializer }) => ({ name: name.getText(), initializer }));
}

/** `65_537`, `64 * 2 ** 20`, `"safe"`, `[]` as a value in JSON; `undefined` for a text that is no literal. */
export function literalOf(text: string): string | undefined {
  const [head = ""] = text.split(/, (?=[a-z])/);
  const plain = head.replace(/(?<=\d)[_, ](?=\d{3})/g, "").replace(/^`|`$/g, "");
  if (!/^(?:[-\d. *+]+|true|false|none|"[^"]*"|\[[^a-z]*\]|\{\}|Number\.POSITIVE_INFINITY|Infinity)$/.test(plain)) return undefined;
  if (/INFINITY|Infinity/.test(plain)) return "Infinity";
  if (plain === "none") return undefined;
  return JSON.stringify(new Function(`return (${plain});`)());
}
