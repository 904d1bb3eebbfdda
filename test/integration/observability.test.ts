import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dashboardNames } from "../../src/assets/dashboards.ts";
import type { Spelling } from "../../src/assets/spelling.ts";
import { writeAssets } from "../../src/assets/write-assets.ts";
import { openTelemetry } from "../../src/index.ts";
import { prometheus as prometheusMetrics } from "../../src/telemetry/prometheus.ts";
import { catalogue } from "../assets/lint/catalogue.ts";
import type { Dashboard } from "../assets/lint/dashboard.ts";
import { type AlertmanagerServer, startAlertmanager } from "../servers/alertmanager.ts";
import { available } from "../servers/available.ts";
import { type PrometheusServer, startPrometheus } from "../servers/prometheus.ts";
import { hurried, shortened } from "./hurried-alerts.ts";
import { Application, Services } from "./observed-application.ts";

const patient = { timeout: 60_000, interval: 250 };
const intervalMs = 500;
/** `for` of InmeshNoEndpoints, shortened. */
const forMs = 1_000;

interface Notification {
  readonly status: "firing" | "resolved";
  readonly alerts: readonly { readonly status: string; readonly startsAt: string; readonly labels: Readonly<Record<string, string>> }[];
}

async function listen(listener: RequestListener): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const applications: readonly { readonly job: string; readonly spelling: Spelling; readonly with: string }[] = [
  { job: "shop", spelling: "otlp", with: "inmesh/prometheus" },
  { job: "bank", spelling: "otel-js", with: "the OpenTelemetry SDK and its Prometheus exporter" },
];

describe.skipIf(!available("prometheus") || !available("alertmanager"))("The assets on the real tools", { timeout: 180_000 }, () => {
  const resources = new AsyncDisposableStack();
  const notifications: (Notification & { readonly atMs: number })[] = [];
  const addresses = new Map<string, string>();
  const observed: Application[] = [];
  let services: Services;
  let directory: string;
  let prometheus: PrometheusServer;
  let alertmanager: AlertmanagerServer;

  const written = (job: string, path: string): Promise<string> => readFile(join(directory, job, path), "utf8");
  const dashboardOf = async (job: string, name: string): Promise<Dashboard> =>
    JSON.parse(await written(job, `dashboards/${name}.json`)) as Dashboard;

  beforeAll(async () => {
    services = await new Services().start();
    resources.defer(() => services.kill());
    const serve = async (listener: RequestListener): Promise<string> => {
      const { server, address } = await listen(listener);
      resources.defer(() => {
        server.closeAllConnections();
        server.close();
      });
      return address;
    };

    const observer = prometheusMetrics({ perEndpoint: true });
    observed.push(resources.use(new Application(services, observer)));
    addresses.set("shop", await serve(observer.handler));

    const exporter = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [exporter] });
    metrics.setGlobalMeterProvider(provider);
    resources.defer(async () => {
      metrics.disable();
      await provider.shutdown();
    });
    observed.push(resources.use(new Application(services, openTelemetry({ perEndpoint: true }))));
    addresses.set("bank", await serve((request, response) => exporter.getMetricsRequestHandler(request, response)));

    const hook = await serve((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => {
        notifications.push({ ...(JSON.parse(Buffer.concat(parts).toString()) as Notification), atMs: Date.now() });
        response.end();
      });
    });

    directory = await mkdtemp(join(tmpdir(), "inmesh-observability-"));
    resources.defer(() => rm(directory, { recursive: true, force: true }));
    const files: Record<string, string> = {};
    for (const { job, spelling } of applications) {
      await writeAssets({
        out: join(directory, job),
        job,
        spelling,
        pageWebhook: `http://${hook}/page`,
        ticketWebhook: `http://${hook}/ticket`,
      });
      for (const name of ["recording-rules.yml", "alerting-rules.yml"]) files[`${job}-${name}`] = shortened(await written(job, name));
    }
    alertmanager = await startAlertmanager({ config: hurried(await written("shop", "alertmanager.yml")) });
    resources.defer(() => alertmanager.stop());
    prometheus = await startPrometheus({
      config: {
        global: { scrape_interval: `${intervalMs}ms`, scrape_timeout: `${intervalMs}ms`, evaluation_interval: `${intervalMs}ms` },
        scrape_configs: [...addresses].map(([job, address]) => ({ job_name: job, static_configs: [{ targets: [address] }] })),
        rule_files: Object.keys(files),
        alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] },
      },
      files,
    });
    resources.defer(() => prometheus.stop());
  }, 120_000);
  afterAll(() => resources.disposeAsync(), 60_000);

  describe.each(applications)("with $with", ({ job, spelling }) => {
    it("every metric that is named is in the scrape", async () => {
      const names = [...catalogue(spelling).keys()];
      const missing = async (): Promise<readonly string[]> => {
        const response = await fetch(`http://${addresses.get(job)}/metrics`);
        const found = new Set((await response.text()).split("\n").map((line) => /^[a-zA-Z_:][\w:]*/.exec(line)?.[0]));
        return names.filter((name) => !found.has(name));
      };
      await expect.poll(missing, patient).toEqual([]);
    });

    it.each(dashboardNames)("every panel of %s shows something", async (name) => {
      const { panels, templating } = await dashboardOf(job, name);
      const substituted = (expression: string): string =>
        expression.replaceAll("$__rate_interval", "20s").replace(/\$(\w+)/g, (_, variable: string) => {
          const { allValue, query } = templating.list.find((each) => each.name === variable) ?? {};
          return allValue ?? (typeof query === "string" && variable === "objective" ? query : "orders");
        });
      const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => `${title}: ${substituted(expr)}`));
      expect(queries.length).toBeGreaterThan(10);
      const empty = async (): Promise<readonly string[]> => {
        const without: string[] = [];
        for (const query of queries) {
          const samples = await prometheus.query(query.slice(query.indexOf(": ") + 2));
          if (!samples.some(({ value }) => Number.isFinite(value))) without.push(query);
        }
        return without;
      };
      await expect.poll(empty, patient).toEqual([]);
    });

    it("and every variable has values", async () => {
      const { templating } = await dashboardOf(job, "overview");
      for (const { name, query, regex } of templating.list.filter(({ type }) => type === "query")) {
        const text = typeof query === "string" ? query : (query?.query ?? "");
        const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? [];
        const samples = await prometheus.query(`group by (${label}) (${selector.replace(/\$\w+/g, ".+")})`);
        const values = samples.map(({ labels }) => labels[label] ?? "");
        const shown = values.filter((value) => regex === undefined || regex === "" || new RegExp(regex.slice(1, -1)).test(value));
        if (name === "job") expect(shown).toEqual([job]);
        if (name === "service") expect(shown).toEqual(expect.arrayContaining(["orders", "stock"]));
        expect(shown, name).not.toEqual([]);
      }
    });
  });

  it("every rule is evaluated without an error, and every recorded series has a value", async () => {
    const groups = await prometheus.rules();
    const rules = groups.flatMap(({ rules: all }) => all);
    expect(rules.length).toBeGreaterThan(50);
    expect(rules.filter(({ health, lastError }) => health === "err" || lastError)).toEqual([]);
    const names = new Set(rules.filter(({ type }) => type === "recording").map(({ name }) => name));
    const missing = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const name of names)
        for (const { job } of applications)
          if ((await prometheus.query(`${name}{job="${job}"}`)).length === 0) found.push(`${name} ${job}`);
      return found;
    };
    await expect.poll(missing, patient).toEqual([]);
  });

  it("denials that rise raise an alert that reaches the webhook, and it resolves when they end", async () => {
    const jobsOf = (alerts: readonly { readonly labels: Readonly<Record<string, string>> }[]): readonly string[] => {
      const mine = alerts.filter(
        ({ labels }) => labels["alertname"] === "InmeshDenialsRising" && labels["inmesh_authorization_rule"] === "no-admin",
      );
      return [...new Set(mine.map(({ labels }) => labels["job"] ?? ""))].sort();
    };
    const told = (status: string): readonly string[] =>
      jobsOf(notifications.flatMap(({ alerts }) => alerts.filter((alert) => alert.status === status)));
    const firing = async (): Promise<readonly string[]> => jobsOf((await prometheus.alerts()).filter(({ state }) => state === "firing"));
    expect(await firing()).toEqual([]);
    expect(told("firing")).toEqual([]);

    const secured = await Promise.all(observed.map((application) => application.secured));
    for (const server of secured) server.attack();
    await expect.poll(firing, patient).toEqual(["bank", "shop"]);
    await expect.poll(() => told("firing"), patient).toEqual(["bank", "shop"]);
    for (const server of secured) server.endAttack();
    await expect.poll(firing, patient).toEqual([]);
    await expect.poll(() => told("resolved"), patient).toEqual(["bank", "shop"]);
  });

  it("a killed service raises alerts that reach the webhook, the cause hides what follows from it, and they resolve", async () => {
    const told = (status: string): readonly string[] =>
      notifications.flatMap(({ alerts }) =>
        alerts
          .filter(
            ({ labels, status: own }) =>
              own === status && labels["alertname"] === "InmeshNoEndpoints" && labels["server_service_name"] === "stock",
          )
          .map(({ labels }) => labels["job"] ?? ""),
      );
    const firing = async (): Promise<ReadonlyMap<string, string>> => {
      const alerts = await prometheus.alerts();
      const mine = alerts.filter(({ labels }) => labels["alertname"] === "InmeshNoEndpoints" && labels["server_service_name"] === "stock");
      return new Map(mine.map(({ labels, activeAt }) => [labels["job"] ?? "", activeAt]));
    };
    expect(told("firing")).toEqual([]);

    const killedMs = Date.now();
    for (const instance of services.stock) await instance.kill();
    await expect.poll(async () => [...(await firing()).keys()].sort(), patient).toEqual(["bank", "shop"]);
    const activeAt = await firing();
    await expect.poll(() => [...new Set(told("firing"))].sort(), patient).toEqual(["bank", "shop"]);
    for (const { job } of applications) {
      const notification = notifications.find(({ alerts }) =>
        alerts.some(
          ({ labels }) => labels["job"] === job && labels["alertname"] === "InmeshNoEndpoints" && labels["server_service_name"] === "stock",
        ),
      );
      const activeMs = Date.parse(activeAt.get(job) ?? "");
      const startsAt = notification?.alerts.find(({ labels }) => labels["job"] === job)?.startsAt ?? "";
      const waitedMs = Date.parse(startsAt) - activeMs;
      console.log(
        `${job}: killed, seen ${activeMs - killedMs} ms later, fired ${waitedMs} ms after that (for ${forMs} + at most one interval of ${intervalMs}), webhook at ${(notification?.atMs ?? 0) - killedMs} ms`,
      );
      expect(waitedMs).toBeGreaterThanOrEqual(forMs);
      // One interval, and a few more that a busy machine may miss.
      expect(waitedMs).toBeLessThanOrEqual(forMs + 10 * intervalMs);
    }

    // The calls fail too, which pages nobody a second time.
    const states = async (): Promise<readonly string[]> => {
      const alerts = await alertmanager.alerts();
      const burning = alerts.filter(
        ({ labels }) => labels["alertname"] === "InmeshErrorBudgetBurnFast" && labels["server_service_name"] === "stock",
      );
      return [...new Set(burning.map(({ status }) => status.state))];
    };
    await expect.poll(states, patient).toEqual(["suppressed"]);

    for (const instance of services.stock) await instance.start();
    await expect.poll(() => [...new Set(told("resolved"))].sort(), patient).toEqual(["bank", "shop"]);
    await expect.poll(async () => (await firing()).size, patient).toBe(0);
  });
});
