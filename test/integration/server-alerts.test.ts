import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAssets } from "../../src/assets/write-assets.ts";
import { startAlertmanager } from "../servers/alertmanager.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { type PrometheusServer, startPrometheus } from "../servers/prometheus.ts";
import { until } from "../support/until.ts";
import type { ServiceNews, Trouble } from "./alerted-service.ts";
import { hurried, shortened } from "./hurried-alerts.ts";

const patient = { timeout: 90_000, interval: 250 };
const intervalMs = 500;

interface Notification {
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

describe.skipIf(!available("prometheus") || !available("alertmanager") || !available("consul"))(
  "the alerts of a server, on the real tools",
  { timeout: 180_000 },
  () => {
    const resources = new AsyncDisposableStack();
    const notifications: Notification[] = [];
    let consul: ConsulServer;
    let prometheus: PrometheusServer;
    let service: ChildProcess;
    const news: ServiceNews[] = [];
    let id: string;

    beforeAll(async () => {
      consul = await startConsul();
      resources.defer(() => consul.stop());
      service = fork(join(import.meta.dirname, "alerted-service.ts"), [JSON.stringify({ consul: consul.url })]);
      resources.defer(() => void service.kill("SIGKILL"));
      service.on("message", (message: ServiceNews) => void news.push(message));
      await until("the service is registered", () => news.length === 1, 60_000);
      const [{ metricsPort, id: own } = { metricsPort: 0, id: "" }] = news as { metricsPort: number; id: string }[];
      id = own;

      const hook = createServer((incoming, response) => {
        const parts: Buffer[] = [];
        incoming.on("data", (part: Buffer) => parts.push(part));
        incoming.on("end", () => {
          notifications.push(JSON.parse(Buffer.concat(parts).toString()) as Notification);
          response.end();
        });
      });
      await once(hook.listen(0, "127.0.0.1"), "listening");
      resources.defer(() => {
        hook.closeAllConnections();
        hook.close();
      });
      const directory = await mkdtemp(join(tmpdir(), "inmesh-server-alerts-"));
      resources.defer(() => rm(directory, { recursive: true, force: true }));
      const webhook = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
      await writeAssets({ out: directory, job: "shop", spelling: "otlp", pageWebhook: webhook, ticketWebhook: webhook });
      const written = (path: string): Promise<string> => readFile(join(directory, path), "utf8");
      const alertmanager = await startAlertmanager({ config: hurried(await written("alertmanager.yml")) });
      resources.defer(() => alertmanager.stop());
      const files = {
        "recording-rules.yml": shortened(await written("recording-rules.yml")),
        "alerting-rules.yml": shortened(await written("alerting-rules.yml")),
      };
      prometheus = await startPrometheus({
        config: {
          global: { scrape_interval: `${intervalMs}ms`, scrape_timeout: `${intervalMs}ms`, evaluation_interval: `${intervalMs}ms` },
          scrape_configs: [{ job_name: "shop", static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
          rule_files: Object.keys(files),
          alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] },
        },
        files,
      });
      resources.defer(() => prometheus.stop());
      // A rate needs what was there before.
      await until("it has been scraped", async () => (await prometheus.query("min_over_time(inmesh_servers[2s])")).length > 0, 60_000);
    }, 120_000);
    afterAll(() => resources.disposeAsync(), 60_000);

    const send = (trouble: Trouble): void => void service.send(trouble);
    const told = (alert: string, status: "firing" | "resolved"): boolean =>
      notifications.some(({ alerts }) => alerts.some((each) => each.labels["alertname"] === alert && each.status === status));
    /** Waits until the alert has reached the webhook, and after `end` until its end has. */
    async function firesAndResolves(alert: string, end: () => unknown): Promise<void> {
      await expect.poll(() => told(alert, "firing"), { ...patient, message: `${alert} fires` }).toBe(true);
      expect(told(alert, "resolved")).toBe(false);
      await end();
      await expect.poll(() => told(alert, "resolved"), { ...patient, message: `${alert} resolves` }).toBe(true);
    }

    it("a stop that cuts requests off is told, although it is the only one of the process", async () => {
      send({ make: "overrun" });
      await expect.poll(() => news.at(-1), patient).toEqual({ cutOff: 1 });
      await firesAndResolves("InmeshRequestsCutOff", () => {});
    });

    it("requests that are shed are told until the event loop is free again", async () => {
      send({ make: "overload" });
      await firesAndResolves("InmeshServerOverloaded", () => send({ end: "overload" }));
    });

    it("a server that does not come to its end is told until it has", async () => {
      send({ make: "stuck stop" });
      await firesAndResolves("InmeshServerStuck", () => send({ end: "stuck stop" }));
    });

    it("a registration that the registry loses again and again is told until that has ended", async () => {
      const losses = setInterval(() => void consul.put(`/v1/agent/service/deregister/${id}`).catch(() => {}), 2_000);
      try {
        await firesAndResolves("InmeshRegistrationLost", () => clearInterval(losses));
      } finally {
        clearInterval(losses);
      }
    });

    it("a registration that cannot be renewed is told until the registry is back", async () => {
      await consul.kill();
      await firesAndResolves("InmeshRegistrationFailing", () => consul.restart());
    });
  },
);
