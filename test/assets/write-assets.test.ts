import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { spellings } from "../../src/assets/spelling.ts";
import { type WriteAssetsOptions, writeAssets } from "../../src/assets/write-assets.ts";
import { committedDashboard, runbooks } from "./lint/assets.ts";
import { catalogue } from "./lint/catalogue.ts";
import { type Dashboard, dashboardFaults } from "./lint/dashboard.ts";
import { type RuleFile, ruleFaults } from "./lint/rules.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-assets-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const paths = [
  "alerting-rules.yml",
  "alertmanager.yml",
  "dashboards/discovery.json",
  "dashboards/overview.json",
  "dashboards/resilience.json",
  "dashboards/routes.json",
  "dashboards/security.json",
  "dashboards/service.json",
  "recording-rules.yml",
  "runbooks.md",
];
const textOf = (path: string): Promise<string> => readFile(join(directory, path), "utf8");
const dashboardOf = async (name: string): Promise<Dashboard> => JSON.parse(await textOf(`dashboards/${name}.json`)) as Dashboard;
const rulesOf = async (name: string): Promise<RuleFile> => parse(await textOf(name)) as RuleFile;

describe("writeAssets", () => {
  it("creates the directory, writes every file, and returns the paths", async () => {
    const out = join(directory, "deep/observability");
    const written = await writeAssets({ out });
    expect(written.map((path) => relative(out, path).replaceAll("\\", "/")).sort()).toEqual(paths);
    for (const path of written) expect((await readFile(path, "utf8")).length).toBeGreaterThan(500);
  });

  it("replaces its own files by the same ones", async () => {
    await writeAssets({ out: directory, objective: 0.99 });
    await writeAssets({ out: directory });
    const first = await textOf("alerting-rules.yml");
    await writeAssets({ out: directory });
    expect(await textOf("alerting-rules.yml")).toBe(first);
    expect(first).not.toContain("0.99)");
  });

  it("keeps files of other origin, and then writes nothing at all", async () => {
    await writeFile(join(directory, "alertmanager.yml"), "route: {}\n");
    await expect(writeAssets({ out: directory })).rejects.toThrow(/alertmanager\.yml: written by something else/);
    expect(await readdir(directory)).toEqual(["alertmanager.yml"]);
    expect(await textOf("alertmanager.yml")).toBe("route: {}\n");
    await writeAssets({ out: directory, force: true });
    expect(await textOf("alertmanager.yml")).toContain("receivers");
  });

  it("rejects when a file is in place of the directory, or a directory in place of a file", async () => {
    await writeFile(join(directory, "file"), "");
    await expect(writeAssets({ out: join(directory, "file") })).rejects.toMatchObject({ code: "ENOTDIR" });
    await mkdir(join(directory, "recording-rules.yml"));
    await expect(writeAssets({ out: directory })).rejects.toMatchObject({ code: "EISDIR" });
  });

  it("puts names, objectives and addresses where they belong", async () => {
    await writeAssets({
      out: directory,
      job: "check/out",
      services: ["orders", 'a.b"c'],
      objective: 0.9995,
      latencyObjectiveMs: 250,
      minCallsPerSecond: 3,
      discoveryMaxAgeMs: 120_000,
      certificateWarningMs: 3_600_000,
      titlePrefix: "Shop $& EU",
      runbookUrl: "https://wiki.example.com/mesh",
      pageWebhook: "https://example.com/page",
      ticketWebhook: "https://example.com/ticket",
    });
    const [recording, alerting] = [await rulesOf("recording-rules.yml"), await rulesOf("alerting-rules.yml")];
    expect(ruleFaults([recording, alerting], catalogue("otlp"), new Set(runbooks().keys()))).toEqual([]);
    const byAlert = new Map(alerting.groups.flatMap(({ rules }) => rules.map((rule) => [rule.alert, rule])));
    const selected = '{job="check/out",server_service_name=~"orders|a\\\\.b\\"c"}';
    expect(byAlert.get("InmeshErrorBudgetBurnFast")?.expr).toContain(
      `service:inmesh_call_errors:ratio_rate1h${selected} > (14.4 * (1 - 0.9995))`,
    );
    expect(byAlert.get("InmeshErrorBudgetBurnFast")?.expr).toContain(`service:inmesh_calls:rate1h${selected} > 3`);
    expect(byAlert.get("InmeshErrorBudgetBurnFast")?.annotations?.["description"]).toContain("99.95 %");
    expect(byAlert.get("InmeshLatencyHigh")?.expr).toContain("> 0.25");
    expect(byAlert.get("InmeshDiscoveryStale")?.expr).toContain("> 120");
    expect(byAlert.get("InmeshCertificateExpiring")?.expr).toContain('{job="check/out"}) - time() < 3600');
    expect(byAlert.get("InmeshPanic")?.annotations?.["runbook_url"]).toBe("https://wiki.example.com/mesh#inmeshpanic");
    expect(await textOf("alertmanager.yml")).toContain("url: https://example.com/page");

    const overview = await dashboardOf("overview");
    expect(overview).toMatchObject({
      title: "Shop $& EU / Overview",
      uid: "shop-eu-overview",
      tags: ["shop-eu"],
      links: [{ tags: ["shop-eu"] }],
    });
    expect(JSON.stringify(overview)).toContain("/d/shop-eu-service?");
    const variables = new Map(overview.templating.list.map((each) => [each.name, each]));
    expect(variables.get("job")).toMatchObject({ regex: "/^(?:check\\/out)$/", allValue: "check/out" });
    expect(variables.get("service")).toMatchObject({ regex: '/^(?:orders|a\\.b"c)$/', allValue: 'orders|a\\\\.b\\"c' });
    const service = await dashboardOf("service");
    expect(service.templating.list.find(({ name }) => name === "objective")).toMatchObject({ query: "0.9995" });
  });

  it.each(spellings)("writes dashboards that differ from the committed ones in nothing but names, %s", async (spelling) => {
    await writeAssets({ out: directory, spelling, titlePrefix: "Bank" });
    for (const name of ["overview", "service", "discovery", "resilience"]) {
      const dashboard = await dashboardOf(name);
      expect(dashboardFaults(dashboard, catalogue(spelling))).toEqual([]);
      const committed = committedDashboard(spelling, name);
      expect(dashboard.panels.map(({ targets }) => targets)).toEqual(committed.panels.map(({ targets }) => targets));
    }
  });

  it.each<[options: object, message: RegExp]>([
    [{ out: "" }, /assets: out must be a string that is not empty/],
    [{ out: undefined }, /assets: out must be a directory/],
    [{ force: "yes" }, /assets: force must be true or false/],
    [{ spelling: "prom" }, /assets: spelling must be one of "otlp", "otel-js", not "prom"/],
    [{ job: 5 }, /assets: job must be/],
    [{ job: "a\nb" }, /control characters/],
    [{ services: "orders" }, /assets: services must be an array/],
    [{ services: [""] }, /services/],
    [{ objective: 99.9 }, /assets: objective must be from 0.95 to 0.99999, not 99.9/],
    [{ objective: 1 }, /objective/],
    [{ objective: "0.99" }, /objective must be a number/],
    [{ latencyObjectiveMs: 20_000 }, /latencyObjectiveMs must be from 1 to 10000/],
    [{ minCallsPerSecond: -1 }, /minCallsPerSecond/],
    [{ discoveryMaxAgeMs: 1 }, /discoveryMaxAgeMs/],
    [{ certificateWarningMs: Number.NaN }, /certificateWarningMs/],
    [{ titlePrefix: "" }, /titlePrefix/],
    [{ runbookUrl: "https://example.com/#runbooks" }, /runbookUrl must be an address without a #/],
    [{ pageWebhook: "ftp://example.com/" }, /pageWebhook must be an http or https address$/],
    [{ ticketWebhook: "tickets" }, /ticketWebhook must be an http or https address$/],
    [{ titelPrefix: "Shop" }, /assets has no option "titelPrefix"/],
  ])("refuses %j and writes nothing", async (options, message) => {
    await expect(writeAssets({ out: directory, ...options } as WriteAssetsOptions)).rejects.toThrow(message);
    expect(await readdir(directory)).toEqual([]);
  });
});
