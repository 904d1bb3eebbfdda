import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { ThresholdsConfigBuilder, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import { CellValuesBuilder, PanelBuilder as Heatmap, YAxisConfigBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";
import { datasource } from "./variables.ts";

/** One query of a panel: PromQL, and the legend of its series. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** Fields of every panel. */
interface PanelText {
  readonly title: string;
  /** Meaning of the values, shown as the tooltip of the title. */
  readonly description: string;
  /** A unit of Grafana's, such as `percentunit`. */
  readonly unit: string;
}

interface TimeSeriesOptions extends PanelText {
  readonly queries: readonly Query[];
  readonly min?: number;
  readonly max?: number;
  readonly isStacked?: boolean;
  /** Columns of 24. */
  readonly width?: number;
}

const panelHeight = 8;
const statHeight = 4;

/** Lines over time. */
export function timeSeries({ title, description, unit, queries, min, max, isStacked = false, width = 8 }: TimeSeriesOptions): TimeSeries {
  const panel = new TimeSeries()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(panelHeight)
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(isStacked ? 40 : 8)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None))
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  for (const target of targets(queries)) panel.withTarget(target);
  if (min !== undefined) panel.min(min);
  if (max !== undefined) panel.max(max);
  return panel;
}

interface StatOptions extends PanelText {
  readonly query: Query;
  /** Threshold of bad values: red above it, or below it. */
  readonly bad?: { readonly above: number } | { readonly below: number };
  readonly width?: number;
  /** Text in place of a missing value. */
  readonly noValue?: string;
}

/** One number. */
export function stat({ title, description, unit, query, bad, width = 4, noValue }: StatOptions): Stat {
  const panel = new Stat()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(statHeight)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(bad === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false));
  for (const target of targets([query])) panel.withTarget(target);
  if (bad !== undefined) panel.thresholds(thresholds(bad));
  if (noValue !== undefined) panel.noValue(noValue);
  return panel;
}

function thresholds(bad: { readonly above: number } | { readonly below: number }): ThresholdsConfigBuilder {
  const steps =
    "above" in bad
      ? [
          { value: null, color: "green" },
          { value: bad.above, color: "red" },
        ]
      : [
          { value: null, color: "red" },
          { value: bad.below, color: "green" },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

interface HeatmapOptions extends PanelText {
  readonly query: Query;
  /** Unit of the bucket boundaries; `unit` is that of the cells. */
  readonly bucketUnit: string;
  readonly width?: number;
}

/** The cells of a histogram over time. */
export function heatmap({ title, description, unit, query, bucketUnit, width = 12 }: HeatmapOptions): Heatmap {
  return new Heatmap()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(panelHeight)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(bucketUnit))
    .cellValues(new CellValuesBuilder().unit(unit))
    .withTarget(target(query, 0).format(PromQueryFormat.Heatmap).range());
}

/** One column of a table: a query, its heading and its unit. */
export interface Column {
  readonly heading: string;
  readonly expr: string;
  readonly unit: string;
  readonly decimals?: number;
}

interface TableOptions {
  readonly title: string;
  readonly description: string;
  /** The label with one row per value, its heading, and the link of its cells. */
  readonly row: { readonly label: string; readonly heading: string; readonly url: string };
  readonly columns: readonly Column[];
  readonly width?: number;
}

/** A table: one row per value of a label, one column per query. */
export function table({ title, description, row, columns, width = 24 }: TableOptions): Table {
  const panel = new Table()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit("short")
    .span(width)
    .height(panelHeight + 2);
  const hidden = { id: "custom.hidden", value: true };
  panel.overrideByName("Time", [hidden]).overrideByName(row.label, [
    { id: "displayName", value: row.heading },
    { id: "links", value: [{ title: "Show this service", url: row.url }] },
  ]);
  for (const [index, { heading, expr, unit, decimals }] of columns.entries()) {
    panel.withTarget(target({ expr, legend: heading }, index).format(PromQueryFormat.Table).instant());
    panel.overrideByName(`Value #${refId(index)}`, [
      { id: "displayName", value: heading },
      { id: "unit", value: unit },
      ...(decimals === undefined ? [] : [{ id: "decimals", value: decimals }]),
    ]);
  }
  return panel.transformations([{ id: "merge", options: {} }]);
}

function targets(queries: readonly Query[]): readonly DataqueryBuilder[] {
  return queries.map((query, index) => target(query, index).range());
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).refId(refId(index)).expr(expr).legendFormat(legend);
}

function refId(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}
