import { describe, expect, it } from "vitest";
import { dashboardNames } from "../../src/assets/dashboards.ts";
import { type Spelling, spellings } from "../../src/assets/spelling.ts";
import { meshErrorCodes } from "../../src/core/errors.ts";
import { metricTable } from "../../src/telemetry/metrics/metric-table.ts";
import { committedDashboard, committedRules, runbooks } from "./lint/assets.ts";
import { catalogue } from "./lint/catalogue.ts";
import { type Dashboard, dashboardFaults, type Panel, type Target, type Variable, withoutVariables } from "./lint/dashboard.ts";
import { readExpression } from "./lint/promql.ts";
import { type Rule, type RuleFile, ruleFaults } from "./lint/rules.ts";

const series = catalogue("otlp");
const anchors = new Set(runbooks().keys());
const dashboards = spellings.flatMap((spelling) => dashboardNames.map((name) => [name, spelling] as const));

describe("The dashboards", () => {
  it.each(dashboards)("%s, %s, has no fault that the linter knows", (name, spelling) => {
    const dashboard = committedDashboard(spelling, name);
    expect(dashboard.panels.length).toBeGreaterThan(8);
    expect(dashboardFaults(dashboard, catalogue(spelling))).toEqual([]);
  });

  it("show every metric", () => {
    const shown = new Set(
      dashboardNames.flatMap((name) =>
        committedDashboard("otlp", name).panels.flatMap(({ targets = [] }) =>
          targets.flatMap(({ expr }) =>
            readExpression(withoutVariables(expr)).selectors.map(({ metric }) => metric.replace(/_(bucket|count|sum)$/, "")),
          ),
        ),
      ),
    );
    expect(shown.size).toBe(Object.keys(metricTable).length);
  });

  it("have identities of their own", () => {
    const uids = dashboardNames.map((name) => committedDashboard("otlp", name).uid);
    expect(new Set(uids).size).toBe(uids.length);
  });
});

describe("The rules", () => {
  it.each(spellings)("have no fault, %s", (spelling: Spelling) => {
    expect(ruleFaults(committedRules(spelling), catalogue(spelling), anchors)).toEqual([]);
  });

  it("have a runbook for each alert, with its three parts, and no runbook without an alert", () => {
    const alerts = committedRules("otlp")[1].groups.flatMap(({ rules }) => rules.map(({ alert = "" }) => alert.toLowerCase()));
    expect([...runbooks().keys()].sort()).toEqual([...alerts].sort());
    for (const [anchor, text] of runbooks()) {
      const parts = [...text.matchAll(/^\*\*(.+?)\*\*/gm)].map(([, part]) => part);
      expect(parts, anchor).toEqual(["What it means.", "What to look at.", "What to do."]);
    }
  });

  it("have runbooks that name only existing errors", () => {
    const codes = [...runbooks().values()].join("\n").match(/ERR_MESH_[A-Z_]*[A-Z]/g) ?? [];
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !Object.hasOwn(meshErrorCodes, code))).toEqual([]);
  });

  it("have runbooks that name only existing panels", () => {
    const titles = new Set(dashboardNames.flatMap((name) => committedDashboard("otlp", name).panels.map(({ title }) => title)));
    for (const [anchor, text] of runbooks()) {
      for (const [, title] of text.replaceAll("\n", " ").matchAll(/"([A-Z][^"]+)"/g))
        expect(titles, `${anchor}: ${title}`).toContain(title);
    }
  });
});

/** The faults of a good dashboard with one thing changed. */
function faultsOf(change: (dashboard: Dashboard) => Dashboard): readonly string[] {
  return dashboardFaults(change(committedDashboard("otlp", "overview")), series);
}

function withPanel(change: (panel: Panel) => object): (dashboard: Dashboard) => Dashboard {
  return (dashboard) => {
    const [row, first, ...others] = dashboard.panels as [Panel, Panel, ...Panel[]];
    return { ...dashboard, panels: [row, { ...first, ...change(first) } as Panel, ...others] };
  };
}

function withTarget(change: Partial<Target>): (dashboard: Dashboard) => Dashboard {
  return withPanel(({ targets = [] }) => ({ targets: targets.map((target) => ({ ...target, ...change })) }));
}

function withVariable(name: string, change: Partial<Variable>): (dashboard: Dashboard) => Dashboard {
  return (dashboard) => {
    const list = dashboard.templating.list.map((each) => (each.name === name ? { ...each, ...change } : each));
    return { ...dashboard, templating: { list } };
  };
}

const chosen = 'job=~"$job",instance=~"$instance"';
const count = "inmesh_client_call_duration_seconds_count";

describe("Each rule of the linter finds its defect", () => {
  it.each<[fault: string, change: (dashboard: Dashboard) => Dashboard]>([
    ["uneditable-dashboard", (dashboard) => ({ ...dashboard, editable: true })],
    ["template-datasource", withVariable("datasource", { label: "Source" })],
    ["template-job", withVariable("job", { multi: false })],
    ["template-instance", withVariable("instance", { allValue: ".*" })],
    ["template-label-promql", withVariable("job", { query: "label_values(sum(, job)" })],
    ["template-on-time-change-reload", withVariable("service", { refresh: 1 })],
    ["metrics", withVariable("service", { query: "label_values(inmesh_endpoints, shop)" })],
    ["panel-datasource", withPanel(() => ({ datasource: { uid: "mine" } }))],
    ["panel-datasource", withTarget({ datasource: { uid: "mine" } })],
    ["panel-title-description", withPanel(() => ({ description: "" }))],
    ["panel-units", withPanel(() => ({ fieldConfig: { defaults: {} } }))],
    ["panel-no-targets", withPanel(() => ({ targets: [] }))],
    ["legend", withTarget({ legendFormat: "" })],
    ["legend", withTarget({ legendFormat: "{{shop}}" })],
    ["target-promql", withTarget({ expr: "sum(rate(" })],
    ["target-rate-interval", withTarget({ expr: `sum(rate(${count}{${chosen}}[5m]))` })],
    ["target-job", withTarget({ expr: `sum(rate(${count}{instance=~"$instance"}[$__rate_interval]))` })],
    ["target-instance", withTarget({ expr: `sum(rate(${count}{job=~"$job"}[$__rate_interval]))` })],
    ["target-counter-agg", withTarget({ expr: `sum(${count}{${chosen}})` })],
    ["metrics", withTarget({ expr: `sum(rate(inmesh_calls_total{${chosen}}[$__rate_interval]))` })],
    ["metrics", withTarget({ expr: `sum(rate(inmesh_endpoints{${chosen}}[$__rate_interval]))` })],
    ["metrics", withTarget({ expr: `sum(rate(${count}{${chosen},shop="a"}[$__rate_interval]))` })],
    ["metrics", withTarget({ expr: `sum by (shop) (rate(${count}{${chosen}}[$__rate_interval]))` })],
    ["metrics", withTarget({ expr: `histogram_quantile(0.9, sum by (le) (rate(${count}{${chosen}}[$__rate_interval])))` })],
    [
      "metrics",
      withTarget({
        expr: `histogram_quantile(0.9, sum(rate(inmesh_client_call_duration_seconds_bucket{${chosen}}[$__rate_interval])))`,
      }),
    ],
    ["layout", withPanel(({ gridPos }) => ({ gridPos: { ...gridPos, w: 8 } }))],
    ["layout", withPanel(({ gridPos }) => ({ gridPos: { ...gridPos, x: 21 } }))],
    ["layout", withPanel(() => ({ id: 1 }))],
  ])("%s", (fault, change) => {
    const found = faultsOf(change);
    expect(found.map((sentence) => sentence.split(":")[0])).toContain(fault);
  });

  it("in a table, a column without a unit", () => {
    const withoutUnits = (dashboard: Dashboard): Dashboard => ({
      ...dashboard,
      panels: dashboard.panels.map((panel) =>
        panel.type === "table" ? { ...panel, fieldConfig: { defaults: { unit: "short" }, overrides: [] } } : panel,
      ),
    });
    expect(faultsOf(withoutUnits)).toHaveLength(8);
  });
});

describe("Looking for faults in rules", () => {
  const good: Rule = {
    alert: "InmeshPanic",
    expr: "max by (job, server_service_name) (inmesh_panic) == 1",
    for: "5m",
    labels: { severity: "page" },
    annotations: { summary: "a", description: "{{ $labels.server_service_name }}", runbook_url: "x#inmeshpanic" },
  };
  const faults = (...rules: readonly Rule[]): readonly string[] => {
    const file: RuleFile = { groups: [{ name: "a", rules }] };
    return ruleFaults([file], series, anchors);
  };

  it("finds none in a valid rule", () => {
    expect(faults(good, { record: "a:b:c", expr: "sum(inmesh_panic)" }, { record: "a:b:d", expr: "a:b:c * 2" })).toEqual([]);
  });

  it.each<[change: Partial<Rule>, reason: string]>([
    [{ expr: "sum(" }, "no PromQL"],
    [{ expr: "inmesh_panics == 1" }, "is no metric"],
    [{ expr: "a:b:c > 1" }, "recorded by no rule"],
    [{ expr: "inmesh_ejections_total > 1" }, "needs a rate"],
    [{ expr: "rate(inmesh_panic[5m]) > 1" }, "has no rate"],
    [{ expr: 'inmesh_panic{shop="a"} == 1' }, "has no label shop"],
    [{ labels: { severity: "high" } }, "no severity"],
    [{ for: "" }, "no for"],
    [{ annotations: { ...good.annotations, summary: "" } }, "no summary"],
    [{ annotations: { ...good.annotations, description: "" } }, "no description"],
    [{ annotations: { ...good.annotations, runbook_url: "" } }, "no runbook_url"],
    [{ annotations: { ...good.annotations, runbook_url: "x#inmeshpanik" } }, "there is no runbook"],
    [{ annotations: { ...good.annotations, summary: "{{ $labels.shop }}" } }, "names the label shop"],
  ])("finds what is wrong with %j", (change, reason) => {
    expect(faults({ ...good, ...change }).join()).toContain(reason);
  });

  it("finds two rules of one name", () => {
    expect(faults(good, good).join()).toContain("there are two");
  });
});
