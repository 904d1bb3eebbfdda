import { parser } from "@prometheus-io/lezer-promql";

/** A label matcher, its value without quotes. */
export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** A selector of series in an expression, with its range and the functions around it. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** The range, such as `5m`; `undefined` for an instant. */
  readonly range: string | undefined;
  /** The functions and aggregations around it, the innermost first. */
  readonly around: readonly string[];
}

/** The parts of an expression. */
export interface Expression {
  /** Offsets of syntax errors. */
  readonly errors: readonly number[];
  readonly selectors: readonly Selector[];
  /** Labels that series are grouped by. */
  readonly grouping: readonly string[];
}

type Node = ReturnType<typeof parser.parse>["topNode"];

/** Reads PromQL, without Grafana's variables. */
export function readExpression(text: string): Expression {
  const errors: number[] = [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const textOf = (node: Node | null): string => (node === null ? "" : text.slice(node.from, node.to));
  parser.parse(text).iterate({
    enter({ type, node }) {
      if (type.isError) errors.push(node.from);
      if (type.name === "GroupingLabels") for (const label of node.getChildren("LabelName")) grouping.push(textOf(label));
      if (type.name === "VectorSelector") selectors.push(readSelector(node, textOf));
    },
  });
  return { errors, selectors, grouping };
}

function readSelector(node: Node, textOf: (node: Node | null) => string): Selector {
  const matchers = (node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []).map((matcher) => ({
    label: textOf(matcher.getChild("LabelName")),
    operator: textOf(matcher.getChild("MatchOp")),
    value: JSON.parse(textOf(matcher.getChild("StringLiteral"))) as string,
  }));
  let range: string | undefined;
  const around: string[] = [];
  for (let parent = node.parent; parent !== null; parent = parent.parent) {
    if (parent.name === "MatrixSelector") range = textOf(parent.lastChild);
    if (parent.name === "FunctionCall") around.push(textOf(parent.getChild("FunctionIdentifier")));
    if (parent.name === "AggregateExpr") around.push(textOf(parent.getChild("AggregateOp")));
  }
  return { metric: textOf(node.getChild("Identifier")), matchers, range, around };
}
