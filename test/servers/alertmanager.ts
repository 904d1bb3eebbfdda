import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requireServer } from "./available.ts";
import { templateDirectory } from "./build-alertmanager.ts";
import { requestJson } from "./json-request.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";
import type { Labels } from "./prometheus-answers.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** How an Alertmanager is started. */
export interface AlertmanagerOptions {
  /** The configuration: as an object, or the YAML text itself. */
  readonly config: Readonly<Record<string, unknown>> | string;
}

/** An alert to post; it counts as resolved from `endsAt` on (ISO form), or when it isn't posted again in time. */
export interface PostedAlert {
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly startsAt?: string;
  readonly endsAt?: string;
  readonly generatorURL?: string;
}

/** An alert as `/api/v2/alerts` has it. */
export interface AlertmanagerAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly fingerprint: string;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: "active" | "suppressed" | "unprocessed";
    readonly silencedBy: readonly string[];
    readonly inhibitedBy: readonly string[];
  };
}

/** What `/api/v2/status` tells. */
export interface AlertmanagerStatus {
  readonly cluster: { readonly status: string };
  readonly config: { readonly original: string };
  readonly versionInfo: { readonly version: string };
  readonly uptime: string;
}

/** A real Alertmanager, alone, without a cluster. */
export interface AlertmanagerServer extends ServerProcess {
  /** The base of the HTTP API, `http://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`, as it stands in Prometheus's configuration. */
  readonly address: string;
  /** GETs a path such as "/api/v2/silences" and returns the parsed answer as it is. */
  get(path: string): Promise<unknown>;
  /** The alerts it holds, resolved ones excepted. */
  alerts(): Promise<readonly AlertmanagerAlert[]>;
  /** Hands it alerts, as Prometheus does. */
  post(alerts: readonly PostedAlert[]): Promise<void>;
  status(): Promise<AlertmanagerStatus>;
}

const host = "127.0.0.1";
const configFile = "alertmanager.yml";
const templates = ["default.tmpl", "email.tmpl"] as const;

const program = (name: "prometheus-alertmanager" | "amtool"): string => join(requireServer("alertmanager"), "usr", "bin", name);

/** Starts Alertmanager on a free port of 127.0.0.1, its data in a temporary directory, and resolves when it is ready. */
export const startAlertmanager = async ({ config }: AlertmanagerOptions): Promise<AlertmanagerServer> => {
  const file = program("prometheus-alertmanager");
  const unpackedTemplates = join(requireServer("alertmanager"), templateDirectory);
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const address = `${host}:${port}`;
    const url = `http://${address}`;
    const server = await startProcess({
      name: "alertmanager",
      async prepare(directory) {
        // The working directory is where the program, as it was built, looks for them.
        for (const template of templates) await copyFile(join(unpackedTemplates, template), join(directory, template));
        // JSON is YAML.
        await writeFile(join(directory, configFile), typeof config === "string" ? config : JSON.stringify(config));
        const args = [
          `--config.file=${configFile}`,
          "--storage.path=data",
          `--web.listen-address=${address}`,
          // Otherwise links have the machine's name in them.
          `--web.external-url=${url}`,
          // No cluster: no gossip, and no port for it.
          "--cluster.listen-address=",
          "--log.level=warn",
        ];
        return { file, args };
      },
      async probe(signal) {
        await requestJson(`${url}/-/ready`, { signal });
      },
    });
    const get = (path: string): Promise<unknown> => requestJson(`${url}${path}`);
    return Object.assign(server, {
      url,
      host,
      port,
      address,
      get,
      alerts: async () => (await get("/api/v2/alerts")) as readonly AlertmanagerAlert[],
      status: async () => (await get("/api/v2/status")) as AlertmanagerStatus,
      async post(alerts: readonly PostedAlert[]) {
        await requestJson(`${url}/api/v2/alerts`, { method: "POST", body: alerts });
      },
    });
  });
};

/** Runs amtool, such as `runAmtool(["check-config", "alertmanager.yml"], directory)`, and returns how it ended. */
export const runAmtool = (args: readonly string[], cwd?: string): Promise<ProgramResult> =>
  runProgram(program("amtool"), args, cwd === undefined ? {} : { cwd });
