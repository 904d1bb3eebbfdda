import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AlertmanagerServer, runAmtool, startAlertmanager } from "./alertmanager.ts";
import { available } from "./available.ts";
import { isAlive } from "./is-alive.ts";
import { startPrometheus } from "./prometheus.ts";

const patient = { timeout: 30_000 };

interface Notification {
  readonly status: "firing" | "resolved";
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

const config = (webhook: string): Record<string, unknown> => ({
  route: { receiver: "hook", group_by: ["alertname"], group_wait: "0s", group_interval: "1s", repeat_interval: "1h" },
  receivers: [{ name: "hook", webhook_configs: [{ url: webhook, send_resolved: true }] }],
});

describe.skipIf(!available("alertmanager"))("A real Alertmanager", { timeout: 60_000 }, () => {
  const notifications: Notification[] = [];
  const hook = createServer((incoming, response) => {
    let text = "";
    incoming.setEncoding("utf8");
    incoming.on("data", (part: string) => {
      text += part;
    });
    incoming.on("end", () => {
      notifications.push(JSON.parse(text) as Notification);
      response.end();
    });
  });
  let alertmanager: AlertmanagerServer;
  beforeAll(async () => {
    await once(hook.listen(0, "127.0.0.1"), "listening");
    alertmanager = await startAlertmanager({ config: config(`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`) });
  }, 60_000);
  afterAll(async () => {
    await alertmanager?.stop();
    hook.closeAllConnections();
    hook.close();
  });

  /** The states that were told about an alert, in order. */
  const told = (alertname: string): readonly string[] =>
    notifications.flatMap(({ alerts }) => alerts.filter(({ labels }) => labels["alertname"] === alertname).map(({ status }) => status));

  it("tells a webhook of an alert that was posted, and that it is resolved", async () => {
    const labels = { alertname: "ParcelsLost", depot: "a" };
    await alertmanager.post([{ labels, annotations: { summary: "7 lost" } }]);
    await expect.poll(() => told("ParcelsLost"), patient).toEqual(["firing"]);
    expect(await alertmanager.alerts()).toMatchObject([
      { labels, annotations: { summary: "7 lost" }, receivers: [{ name: "hook" }], status: { state: "active" } },
    ]);
    await alertmanager.post([{ labels, endsAt: new Date().toISOString() }]);
    await expect.poll(() => told("ParcelsLost"), patient).toEqual(["firing", "resolved"]);
    expect(await alertmanager.alerts()).toEqual([]);
  });

  it("is alone, and says which configuration it has", async () => {
    expect(await alertmanager.status()).toMatchObject({
      cluster: { status: "disabled" },
      config: { original: expect.stringContaining("group_interval: 1s") },
    });
  });

  it.skipIf(!available("prometheus"))("passes on what Prometheus raises", async () => {
    const rule = { alert: "Always", expr: "vector(1)" };
    await using prometheus = await startPrometheus({
      config: {
        global: { evaluation_interval: "1s" },
        rule_files: ["rules.yml"],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] },
      },
      files: { "rules.yml": JSON.stringify({ groups: [{ name: "all", rules: [rule] }] }) },
    });
    await expect.poll(() => told("Always"), patient).toEqual(["firing"]);
    expect(prometheus.output()).not.toContain("err=");
  });

  it("leaves no process behind when it is stopped", async () => {
    const { pid } = alertmanager;
    await alertmanager.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("says why when its configuration is wrong from the start", async () => {
    await expect(startAlertmanager({ config: { receivers: [] } })).rejects.toThrow(/exited with code[\s\S]*no routes provided/);
  });
});

describe.skipIf(!available("alertmanager"))("amtool", { timeout: 60_000 }, () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "inmesh-amtool-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("accepts a good configuration and names what is wrong with a bad one", async () => {
    const good = config("http://127.0.0.1:1/");
    await writeFile(join(directory, "good.yml"), JSON.stringify(good));
    await writeFile(join(directory, "bad.yml"), JSON.stringify({ ...good, route: { receiver: "nobody" } }));
    expect(await runAmtool(["check-config", "good.yml"], directory)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("SUCCESS"),
    });
    const bad = await runAmtool(["check-config", "bad.yml"], directory);
    expect(bad.code).toBe(1);
    expect(bad.stdout + bad.stderr).toContain('undefined receiver "nobody"');
  });

  it("says who is told of an alert", async () => {
    await writeFile(join(directory, "good.yml"), JSON.stringify(config("http://127.0.0.1:1/")));
    const routed = await runAmtool(["config", "routes", "test", "--config.file=good.yml", "alertname=Any"], directory);
    expect(routed).toMatchObject({ code: 0, stdout: "hook\n" });
  });
});
