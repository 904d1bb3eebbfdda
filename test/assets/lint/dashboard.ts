import { misusesOf, type SeriesKind } from "./catalogue.ts";
import { readExpression } from "./promql.ts";

/** The part of a dashboard that the lints read. */
export interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly editable: boolean;
  readonly description: string;
  readonly tags: readonly string[];
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly links?: readonly { readonly tags: readonly string[] }[];
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: { readonly type?: string; readonly uid?: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string };
    readonly overrides?: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly datasource?: { readonly uid?: string };
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query?: string | { readonly query: string };
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
  readonly regex?: string;
  readonly datasource?: { readonly uid?: string };
}

/** An unusual range, which stands for Grafana's variable. */
const rateInterval = "13m37s";

/** Replaces Grafana's variables in an expression by values, so that it is PromQL. */
export function withoutVariables(expression: string): string {
  return expression
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll("$objective", "0.999")
    .replace(/\$\{?\w+\}?/g, ".*");
}

/**
 * The faults of a dashboard, each sentence after the name of the broken rule of grafana/dashboard-linter; `metrics`, `legend` and `layout` are
 * rules of this repository.
 */
export function dashboardFaults(dashboard: Dashboard, series: ReadonlyMap<string, SeriesKind>): readonly string[] {
  const faults: string[] = [];
  if (dashboard.editable) faults.push("uneditable-dashboard: it can be edited, and the edits are lost");
  faults.push(...variableFaults(dashboard.templating.list, series));
  const panels = dashboard.panels.filter(({ type }) => type !== "row");
  for (const panel of panels) for (const fault of panelFaults(panel, series)) faults.push(`${fault} (${panel.title})`);
  for (const fault of layoutFaults(dashboard.panels)) faults.push(fault);
  return faults;
}

function* variableFaults(variables: readonly Variable[], series: ReadonlyMap<string, SeriesKind>): Generator<string> {
  const source = variables.find(({ name }) => name === "datasource");
  if (source?.type !== "datasource" || source.query !== "prometheus" || source.label !== "Data source")
    yield 'template-datasource: there is no variable datasource "Data source" of type prometheus';
  for (const [name, label] of [
    ["job", "Job"],
    ["instance", "Instance"],
  ]) {
    const variable = variables.find((each) => each.name === name);
    if (variable?.type !== "query" || variable.label !== label || variable.multi !== true || variable.allValue !== ".+")
      yield `template-${name}: there is no variable ${name} "${label}" of several values, ".+" for all`;
  }
  for (const variable of variables.filter(({ type }) => type === "query")) {
    if (variable.datasource?.uid !== "$datasource") yield `template-${variable.name}: it is read from another data source`;
    if (variable.refresh !== 2) yield `template-on-time-change-reload: ${variable.name} is not read again when the time range changes`;
    const text = typeof variable.query === "string" ? variable.query : (variable.query?.query ?? "");
    const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? [];
    const { errors, selectors } = readExpression(withoutVariables(selector));
    const [selected] = selectors;
    if (errors.length > 0 || selectors.length !== 1 || selected === undefined)
      yield `template-label-promql: ${variable.name} is read by ${text}`;
    else if (series.get(selected.metric)?.labels.has(label) !== true)
      yield `metrics: ${selected.metric} has no label ${label} for ${variable.name}`;
  }
}

function* panelFaults(panel: Panel, series: ReadonlyMap<string, SeriesKind>): Generator<string> {
  if (panel.datasource?.uid !== "$datasource") yield "panel-datasource: it does not read $datasource";
  if (!panel.title || !panel.description) yield "panel-title-description: it has no title or no description";
  const { targets = [] } = panel;
  if (targets.length === 0) yield "panel-no-targets: it asks for nothing";
  if (!panel.fieldConfig?.defaults.unit) yield "panel-units: it has no unit";
  if (panel.type === "table") {
    for (const { refId } of targets) {
      const override = panel.fieldConfig?.overrides?.find(({ matcher }) => matcher.options === `Value #${refId}`);
      if (!override?.properties.some(({ id }) => id === "unit")) yield `panel-units: column ${refId} has no unit`;
    }
  }
  const refIds = new Set(targets.map(({ refId }) => refId));
  if (refIds.size !== targets.length) yield "panel-no-targets: two queries have one refId";
  for (const target of targets) yield* targetFaults(target, series);
}

function* targetFaults({ expr, legendFormat, datasource }: Target, series: ReadonlyMap<string, SeriesKind>): Generator<string> {
  if (datasource?.uid !== "$datasource") yield "panel-datasource: a query does not read $datasource";
  if (!legendFormat || legendFormat === "__auto") yield "legend: a query has none";
  const read = readExpression(withoutVariables(expr));
  if (read.errors.length > 0) {
    yield `target-promql: no PromQL at ${read.errors.join(", ")}: ${expr}`;
    return;
  }
  for (const { metric, matchers, range, around } of read.selectors) {
    if (range !== undefined && range !== rateInterval) yield `target-rate-interval: ${metric} over ${range}, not $__rate_interval`;
    for (const name of ["job", "instance"]) {
      const isChosen = matchers.some(({ label, operator }) => label === name && operator === "=~") && expr.includes(`${name}=~"$${name}"`);
      if (!isChosen) yield `target-${name}: ${metric} is not restricted to $${name}`;
    }
    const isCounter = ["counter", "bucket", "count", "sum"].includes(series.get(metric)?.kind ?? "");
    if (isCounter && !["rate", "irate", "increase"].includes(around[0] ?? "")) yield `target-counter-agg: ${metric} without a rate`;
  }
  for (const label of legendFormat?.matchAll(/\{\{(\w+)\}\}/g) ?? []) {
    const name = label[1] ?? "";
    const hasIt =
      read.grouping.length === 0 ? read.selectors.some(({ metric }) => series.get(metric)?.labels.has(name)) : read.grouping.includes(name);
    if (!hasIt) yield `legend: no series has the label ${name}`;
  }
  for (const misuse of misusesOf(read, series)) yield `metrics: ${misuse}`;
}

/** Panels that lie on each other or beyond the 24 columns, and two with one number. */
function* layoutFaults(panels: readonly Panel[]): Generator<string> {
  if (new Set(panels.map(({ id }) => id)).size !== panels.length) yield "layout: two panels have one id";
  for (const [index, { gridPos: a, title }] of panels.entries()) {
    if (a.x + a.w > 24) yield `layout: ${title} leaves the 24 columns`;
    for (const { gridPos: b, title: other } of panels.slice(index + 1)) {
      if (a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h) yield `layout: ${title} lies on ${other}`;
    }
  }
}
