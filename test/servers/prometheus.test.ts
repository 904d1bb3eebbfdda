import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { available } from "./available.ts";
import { isAlive } from "./is-alive.ts";
import { type PrometheusServer, runPromtool, startPrometheus } from "./prometheus.ts";

const patient = { timeout: 20_000 };

const rules = (expression: string): string =>
  JSON.stringify({
    groups: [
      {
        name: "parcels",
        rules: [
          { record: "parcels:count", expr: expression },
          { alert: "ParcelsLost", expr: "parcels_total > 6", labels: { severity: "page" }, annotations: { summary: "{{ $value }} lost" } },
        ],
      },
    ],
  });

/** A page as `/metrics` has it: a histogram with an exemplar, and a counter of which every scrape finds 7. */
const page = `# TYPE parcels counter
parcels_total{depot="a \\"b\\""} 7 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 1
# TYPE weight histogram
weight_bucket{le="1"} 2
weight_bucket{le="+Inf"} 3
weight_sum 5
weight_count 3
# EOF
`;

describe.skipIf(!available("prometheus"))("A real Prometheus", { timeout: 60_000 }, () => {
  const scraped = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8" }).end(page);
  });
  let target: string;
  let prometheus: PrometheusServer;
  const config = (instances: readonly string[]): Record<string, unknown> => ({
    global: { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" },
    scrape_configs: [{ job_name: "depot", static_configs: [{ targets: instances }] }],
    rule_files: ["rules.yml"],
  });
  beforeAll(async () => {
    await once(scraped.listen(0, "127.0.0.1"), "listening");
    target = `127.0.0.1:${(scraped.address() as AddressInfo).port}`;
    prometheus = await startPrometheus({ config: config([target]), files: { "rules.yml": rules("sum(parcels_total)") } });
  }, 60_000);
  afterAll(async () => {
    await prometheus?.stop();
    scraped.closeAllConnections();
    scraped.close();
  });

  it("scrapes a page and answers queries about it", async () => {
    await expect
      .poll(() => prometheus.query("parcels_total"), patient)
      .toMatchObject([{ labels: { __name__: "parcels_total", depot: 'a "b"', instance: target, job: "depot" }, value: 7 }]);
    expect(await prometheus.query("1 / 0")).toMatchObject([{ labels: {}, value: Number.POSITIVE_INFINITY }]);
    await expect(prometheus.query("sum(")).rejects.toThrow("parse error");
  });

  it("answers queries about a stretch of time, and with exemplars", async () => {
    await expect.poll(() => prometheus.query("count_over_time(parcels_total[1m]) > 3"), patient).toHaveLength(1);
    const endMs = Date.now();
    const range = { startMs: endMs - 60_000, endMs, stepMs: 200 };
    const [series] = await prometheus.queryRange("parcels_total", range);
    expect(series?.samples.length).toBeGreaterThan(2);
    expect(series?.samples.at(-1)).toMatchObject({ value: 7 });
    expect(Math.abs((series?.samples.at(-1)?.timeMs ?? 0) - endMs)).toBeLessThan(1_000);
    const [exemplars] = await prometheus.queryExemplars("parcels_total", range);
    expect(exemplars?.exemplars[0]).toMatchObject({ labels: { trace_id: "0af7651916cd43dd8448eb211c80319c" }, value: 1 });
  });

  it("tells the state of its targets, rules and alerts", async () => {
    await expect
      .poll(() => prometheus.targets(), patient)
      .toMatchObject([{ scrapePool: "depot", scrapeUrl: `http://${target}/metrics`, health: "up", lastError: "" }]);
    await expect.poll(() => prometheus.query("parcels:count"), patient).toMatchObject([{ value: 7 }]);
    await expect
      .poll(() => prometheus.alerts(), patient)
      .toMatchObject([{ state: "firing", labels: { alertname: "ParcelsLost", severity: "page" }, annotations: { summary: "7 lost" } }]);
    expect(await prometheus.rules()).toMatchObject([
      {
        name: "parcels",
        rules: [
          { type: "recording", health: "ok" },
          { type: "alerting", state: "firing" },
        ],
      },
    ]);
  });

  it("takes a new configuration, and keeps the old one when the new one is wrong", async () => {
    const before = config([target]);
    await prometheus.reload({ config: before, files: { "rules.yml": rules("sum(parcels_total) * 2") } });
    await expect.poll(() => prometheus.query("parcels:count"), patient).toMatchObject([{ value: 14 }]);
    await expect(prometheus.reload({ config: "scrape_configs: nonsense" })).rejects.toThrow("cannot unmarshal");
    await expect.poll(() => prometheus.query("parcels:count"), patient).toMatchObject([{ value: 14 }]);
    await prometheus.reload({ config: config([]) });
    await expect.poll(() => prometheus.targets(), patient).toEqual([]);
  });

  it("keeps what it has stored in a restart, and leaves no process behind when it is stopped", async () => {
    const first = prometheus.pid;
    await prometheus.restart();
    expect(isAlive(first)).toBe(false);
    expect(await prometheus.query("count_over_time(parcels_total[5m]) > 3")).toHaveLength(1);
    const { pid } = prometheus;
    await prometheus.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("says why when its configuration is wrong from the start", async () => {
    await expect(startPrometheus({ config: "scrape_configs: nonsense" })).rejects.toThrow(/exited with code[\s\S]*cannot unmarshal/);
  });
});

describe.skipIf(!available("prometheus"))("promtool", { timeout: 60_000 }, () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "inmesh-promtool-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("accepts good rules and names what is wrong with bad ones", async () => {
    await writeFile(join(directory, "good.yml"), rules("sum(parcels_total)"));
    await writeFile(join(directory, "bad.yml"), rules("sum(parcels_total"));
    const good = await runPromtool(["check", "rules", "good.yml"], directory);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining("SUCCESS: 2 rules found") });
    const bad = await runPromtool(["check", "rules", "bad.yml"], directory);
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining("unclosed left parenthesis") });
  });

  it("runs unit tests of rules", async () => {
    await writeFile(join(directory, "rules.yml"), rules("sum(parcels_total)"));
    const unitTest = (value: number): string =>
      JSON.stringify({
        rule_files: ["rules.yml"],
        tests: [
          {
            interval: "1m",
            input_series: [{ series: "parcels_total", values: "3 4" }],
            promql_expr_test: [{ expr: "parcels:count", eval_time: "1m", exp_samples: [{ labels: "parcels:count", value }] }],
          },
        ],
      });
    await writeFile(join(directory, "right.yml"), unitTest(4));
    await writeFile(join(directory, "wrong.yml"), unitTest(5));
    expect(await runPromtool(["test", "rules", "right.yml"], directory)).toMatchObject({ code: 0 });
    expect(await runPromtool(["test", "rules", "wrong.yml"], directory)).toMatchObject({ code: 1 });
  });
});
