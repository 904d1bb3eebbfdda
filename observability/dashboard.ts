import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  RowBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { mark } from "../src/assets/asset-files.ts";
import type { dashboardNames } from "../src/assets/dashboards.ts";
import { defaultThresholds } from "../src/assets/thresholds.ts";
import { objective, variables } from "./variables.ts";

/** Panels under a heading, in lines whose widths add up to 24. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

/** The contents of a dashboard, without what all dashboards have. */
export interface DashboardText {
  readonly name: (typeof dashboardNames)[number];
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
  /** One service is chosen, not several. */
  readonly isForOne?: boolean;
  /** A panel compares with the objective. */
  readonly hasObjective?: boolean;
}

/** A dashboard with numbered panels, whose title and identity `src/assets/dashboards.ts` replaces. */
export function dashboard({ name, title, description, rows, isForOne = false, hasObjective = false }: DashboardText): Dashboard {
  const builder = new DashboardBuilder(`inmesh / ${title}`)
    .uid(`inmesh-${name}`)
    .description(`${description} ${mark}.`)
    .tags(["inmesh"])
    .readonly()
    .timezone("browser")
    .time({ from: "now-1h", to: "now" })
    .refresh("30s")
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder("inmesh")
        .type(DashboardLinkType.Dashboards)
        .tags(["inmesh"])
        .includeVars(true)
        .keepTime(true)
        .asDropdown(true),
    );
  for (const variable of variables(isForOne)) builder.withVariable(variable);
  if (hasObjective) builder.withVariable(objective(defaultThresholds.objective));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  const built = builder.build();
  for (const [index, panel] of (built.panels ?? []).entries()) panel.id = index + 1;
  return built;
}
