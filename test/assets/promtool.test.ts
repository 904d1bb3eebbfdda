import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AlertingRule, alertingRules } from "../../src/assets/alerting-rules.ts";
import { configurationFiles, scopeOf } from "../../src/assets/asset-files.ts";
import { type AssetsOptions, assetsSettings } from "../../src/assets/assets-options.ts";
import { type Spelling, spellings } from "../../src/assets/spelling.ts";
import { runAmtool } from "../servers/alertmanager.ts";
import { available } from "../servers/available.ts";
import { runPromtool } from "../servers/prometheus.ts";
import { type AlertCase, alertCases } from "./alert-cases.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-assets-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const ruleFiles = ["recording-rules.yml", "alerting-rules.yml"];

async function write(options: AssetsOptions): Promise<readonly AlertingRule[]> {
  const settings = assetsSettings(options);
  for (const [path, text] of configurationFiles(settings)) await writeFile(join(directory, path), text);
  return alertingRules(scopeOf(settings), settings.thresholds, settings.runbookUrl).flatMap(({ rules }) => rules);
}

/** The alert that promtool must expect: the texts with their templates filled in. */
function expected(rule: AlertingRule, { labels, value }: AlertCase): object {
  const all: Readonly<Record<string, string>> = { job: "shop", ...labels };
  const filled = (text: string): string =>
    text
      .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => all[label] ?? `no ${label}`)
      .replace(/\{\{ (\$value[^}]*|printf "[^"]+" \$value) \}\}/g, value);
  const { summary, description, runbook_url } = rule.annotations;
  return {
    exp_labels: { ...all, severity: rule.labels.severity },
    exp_annotations: { summary: filled(summary), description: filled(description), runbook_url },
  };
}

/** The series of the cases that are played; `silent`: all of them, and no alert may fire. */
type Played = "all" | "firing" | "quiet" | "silent";

async function testRules(rules: readonly AlertingRule[], cases: readonly AlertCase[], played: Played = "all"): Promise<string> {
  const tests = cases.flatMap((each) => {
    const rule = rules.find(({ alert }) => alert === each.alert);
    if (rule === undefined) throw new Error(`there is no alert ${each.alert}`);
    const test = (name: string, input: AlertCase["firing"], alerts: readonly object[]): object => ({
      name: `${each.alert} ${name}`,
      interval: "1m",
      input_series: input,
      alert_rule_test: [{ eval_time: each.at, alertname: each.alert, exp_alerts: alerts }],
    });
    const firing = test("fires", each.firing, played === "silent" ? [] : [expected(rule, each)]);
    const quiet = each.quiet.map((input, index) => test(`is silent ${index + 1}`, input, []));
    return [...(played === "quiet" ? [] : [firing]), ...(played === "firing" ? [] : quiet)];
  });
  await writeFile(join(directory, "tests.yml"), JSON.stringify({ rule_files: ruleFiles, evaluation_interval: "1m", tests }));
  const { code, stdout, stderr } = await runPromtool(["test", "rules", "tests.yml"], directory);
  return code === 0 ? "" : stdout + stderr;
}

describe.skipIf(!available("prometheus"))("promtool", { timeout: 60_000 }, () => {
  it.each(spellings)("accepts the rules, and sees each alert fire when and only when it should, %s", async (spelling: Spelling) => {
    const rules = await write({ spelling });
    const checked = await runPromtool(["check", "rules", "--lint=all", "--lint-fatal", ...ruleFiles], directory);
    expect(checked, checked.stderr).toMatchObject({ code: 0 });
    const cases = alertCases(spelling);
    expect([...new Set(cases.map(({ alert }) => alert))].sort()).toEqual(rules.map(({ alert }) => alert).sort());
    expect(await testRules(rules, cases)).toBe("");
  });

  it("sees alerts of the selected job and services only", async () => {
    const mine = await write({ job: "shop", services: ["orders", "carts.v2"], objective: 0.99 });
    const checked = await runPromtool(["check", "rules", ...ruleFiles], directory);
    expect(checked).toMatchObject({ code: 0 });
    const fast = alertCases("otlp").filter(({ alert }) => alert === "InmeshErrorBudgetBurnFast" || alert === "InmeshNoEndpoints");
    expect(await testRules(mine, fast)).toBe("");
    for (const other of [{ job: "bank" }, { services: ["cartsXv2"] }]) {
      expect(await testRules(await write(other), fast, "silent")).toBe("");
    }
  });

  it.each<[defect: string, played: Played, broken: (expression: string) => string]>([
    ["never fired", "firing", (expression) => `(${expression}) and vector(0) == 1`],
    ["always fired", "quiet", () => "vector(1)"],
  ])("would notice if an alert %s", async (_, played, broken) => {
    const rules = await write({});
    // JSON is YAML.
    const groups = [{ name: "a", rules: rules.map((rule) => ({ ...rule, expr: broken(rule.expr) })) }];
    await writeFile(join(directory, "alerting-rules.yml"), JSON.stringify({ groups }));
    const report = await testRules(rules, alertCases("otlp"), played);
    const noticed = new Set([...report.matchAll(/alertname:\s*(\w+)/g)].map(([, alert]) => alert));
    expect([...noticed].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});

describe.skipIf(!available("alertmanager"))("amtool", { timeout: 60_000 }, () => {
  it("accepts the configuration, and routes by severity", async () => {
    const rules = await write({ pageWebhook: "https://example.com/hooks/a?b=c" });
    const checked = await runAmtool(["check-config", "alertmanager.yml"], directory);
    expect(checked, checked.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("SUCCESS") });
    for (const { alert, labels } of rules) {
      const args = ["config", "routes", "test", "--config.file=alertmanager.yml", `alertname=${alert}`, `severity=${labels.severity}`];
      expect(await runAmtool(args, directory), alert).toMatchObject({ code: 0, stdout: `${labels.severity}\n` });
    }
    const unknown = await runAmtool(["config", "routes", "test", "--config.file=alertmanager.yml", "alertname=Other"], directory);
    expect(unknown).toMatchObject({ code: 0, stdout: "ticket\n" });
  });

  it("would refuse a webhook that is not an address", async () => {
    await write({});
    const file = join(directory, "alertmanager.yml");
    await writeFile(file, (await readFile(file, "utf8")).replace(/url: .*/, "url: nowhere"));
    expect((await runAmtool(["check-config", "alertmanager.yml"], directory)).code).toBe(1);
  });
});

describe("The inhibitions", () => {
  it("name existing alerts as sources and targets", async () => {
    const rules = await write({});
    const names = rules.map(({ alert }) => alert);
    const text = await readFile(join(directory, "alertmanager.yml"), "utf8");
    const matchers = [...text.matchAll(/alertname(=~?)"([^"]+)"/g)];
    expect(matchers).toHaveLength(4);
    for (const [, , pattern = ""] of matchers) {
      for (const part of pattern.split("|"))
        expect(
          names.filter((name) => new RegExp(`^(?:${part})$`).test(name)),
          part,
        ).not.toEqual([]);
    }
  });
});
