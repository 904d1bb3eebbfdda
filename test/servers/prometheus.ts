import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { requireServer } from "./available.ts";
import { requestJson } from "./json-request.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";
import {
  type ExemplarSeries,
  exemplarsFrom,
  type InstantSample,
  instantFrom,
  type PrometheusAlert,
  type RangeSeries,
  type RuleGroup,
  rangeFrom,
  type ScrapeTarget,
} from "./prometheus-answers.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** What Prometheus is to do. */
export interface PrometheusConfig {
  /** The configuration: as an object, or the YAML text itself. */
  readonly config: Readonly<Record<string, unknown>> | string;
  /** Further files beside the configuration, which may name them relatively (`rule_files: ["rules.yml"]`): path to text. */
  readonly files?: Readonly<Record<string, string>>;
}

/** How a Prometheus is started. */
export interface PrometheusOptions extends PrometheusConfig {
  /** Further flags, such as `--query.lookback-delta=10s`. */
  readonly args?: readonly string[];
}

/** The stretch of time of a range query, in milliseconds since the epoch, and the step between samples in milliseconds. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** A real Prometheus; what it has stored stays in a restart. */
export interface PrometheusServer extends ServerProcess {
  /** The base of the HTTP API and the user interface, `http://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`, as it stands in configurations. */
  readonly address: string;
  /** GETs a path such as "/api/v1/status/buildinfo" and returns the parsed answer as it is. */
  get(path: string): Promise<unknown>;
  /** Evaluates an expression now, or at `timeMs`; a scalar is one sample without labels. Rejects when it's wrong PromQL. */
  query(expression: string, timeMs?: number): Promise<readonly InstantSample[]>;
  /** Evaluates an expression at each step of a stretch of time. */
  queryRange(expression: string, range: QueryRange): Promise<readonly RangeSeries[]>;
  /** The exemplars of the series that an expression names, of a stretch of time. */
  queryExemplars(expression: string, range: Omit<QueryRange, "stepMs">): Promise<readonly ExemplarSeries[]>;
  /** The alerts that are pending or firing now. */
  alerts(): Promise<readonly PrometheusAlert[]>;
  /** The rule groups with the state, health and last error of each rule. */
  rules(): Promise<readonly RuleGroup[]>;
  /** The targets that are scraped, with the health and the last error of each. */
  targets(): Promise<readonly ScrapeTarget[]>;
  /** Loads the configuration again, a new one where it's given; rejects, and keeps the old one, when it's wrong. */
  reload(config?: PrometheusConfig): Promise<void>;
}

const host = "127.0.0.1";
const configFile = "prometheus.yml";

const program = (name: "prometheus" | "promtool"): string => join(requireServer("prometheus"), "usr", "bin", name);

const writeConfig = async (directory: string, { config, files = {} }: PrometheusConfig): Promise<void> => {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  // JSON is YAML.
  await writeFile(join(directory, configFile), typeof config === "string" ? config : JSON.stringify(config));
};

/**
 * Starts Prometheus on a free port of 127.0.0.1, its data in a temporary directory, and resolves when it is ready.
 * Exemplars are kept, and an alert is sent to Alertmanager again after 1 s instead of a minute. It looks every 5 s for
 * what it is to scrape and whom it is to alert, so the first scrape comes up to 5 s later; so does that of a new target.
 */
export const startPrometheus = async (options: PrometheusOptions): Promise<PrometheusServer> => {
  const file = program("prometheus");
  let current: PrometheusConfig = options;
  const { args = [] } = options;
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const address = `${host}:${port}`;
    const url = `http://${address}`;
    const server = await startProcess({
      name: "prometheus",
      async prepare(directory) {
        await writeConfig(directory, current);
        const fixed = [
          `--config.file=${configFile}`,
          "--storage.tsdb.path=data",
          `--web.listen-address=${address}`,
          // Otherwise links have the machine's name in them.
          `--web.external-url=${url}`,
          "--web.enable-lifecycle",
          "--enable-feature=exemplar-storage",
          // An alert that was raised before Alertmanager was found is lost until it is sent again.
          "--rules.alert.resend-delay=1s",
          "--log.level=warn",
        ];
        return { file, args: [...fixed, ...args] };
      },
      async probe(signal) {
        await requestJson(`${url}/-/ready`, { signal });
      },
    });

    const get = (path: string): Promise<unknown> => requestJson(`${url}${path}`);
    const ask = async <T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> => {
      const answer = await get(`/api/v1/${path}?${new URLSearchParams(query)}`);
      return (answer as { readonly data: T }).data;
    };
    const seconds = (ms: number): string => String(ms / 1000);

    return Object.assign(server, {
      url,
      host,
      port,
      address,
      get,
      async query(expression: string, timeMs?: number) {
        return instantFrom(await ask("query", { query: expression, ...(timeMs === undefined ? {} : { time: seconds(timeMs) }) }));
      },
      async queryRange(expression: string, { startMs, endMs, stepMs }: QueryRange) {
        const range = { start: seconds(startMs), end: seconds(endMs), step: seconds(stepMs) };
        return rangeFrom(await ask("query_range", { query: expression, ...range }));
      },
      async queryExemplars(expression: string, { startMs, endMs }: Omit<QueryRange, "stepMs">) {
        return exemplarsFrom(await ask("query_exemplars", { query: expression, start: seconds(startMs), end: seconds(endMs) }));
      },
      alerts: async () => (await ask<{ readonly alerts: readonly PrometheusAlert[] }>("alerts")).alerts,
      rules: async () => (await ask<{ readonly groups: readonly RuleGroup[] }>("rules")).groups,
      targets: async () => (await ask<{ readonly activeTargets: readonly ScrapeTarget[] }>("targets")).activeTargets,
      async reload(config?: PrometheusConfig) {
        if (config !== undefined) {
          current = config;
          await writeConfig(server.directory, config);
        }
        await requestJson(`${url}/-/reload`, { method: "POST" });
      },
    });
  });
};

/** Runs promtool, such as `runPromtool(["check", "rules", "rules.yml"], directory)`, and returns how it ended. */
export const runPromtool = (args: readonly string[], cwd?: string): Promise<ProgramResult> =>
  runProgram(program("promtool"), args, cwd === undefined ? {} : { cwd });
