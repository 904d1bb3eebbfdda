import { spellings } from "../../assets/spelling.ts";
import { type WriteAssetsOptions, writeAssets } from "../../assets/write-assets.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { readDuration, readNumber } from "../option-values.ts";
import { plain } from "../terminal/plain.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  out: { type: "string", value: "DIR", help: "Directory for the files, made if it does not exist. Required." },
  force: { type: "boolean", help: "Also replaces files that `inmesh assets` has not written." },
  spelling: {
    type: "string",
    value: "SPELLING",
    choices: spellings,
    help: "Spelling of metric names: `otlp`, as `inmesh/prometheus` and the Collector write them, or `otel-js`, as `@opentelemetry/exporter-prometheus` does. Default: `otlp`.",
  },
  job: { type: "string", value: "JOB", help: "The `job` label of the processes that call. Default: any." },
  service: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "A service to watch; may be repeated. Default: all that are called.",
  },
  "title-prefix": { type: "string", value: "TEXT", help: "Beginning of the titles of dashboards. Default: `inmesh`." },
  "runbook-url": { type: "string", value: "URL", help: "The page that alerts link to. Default: the `runbooks.md` that is written, too." },
  "page-webhook": { type: "string", value: "URL", help: "Where Alertmanager sends pages, the alerts that need attention at once." },
  "ticket-webhook": { type: "string", value: "URL", help: "Where it sends tickets, the alerts that can wait." },
  objective: { type: "string", value: "SHARE", help: "Objective: the share of calls that succeed, 0.95 to 0.99999. Default: 0.999." },
  latency: { type: "string", value: "TIME", help: "Objective: the time within which 99 % of the calls end. Default: `500ms`." },
  "min-rps": { type: "string", value: "NUMBER", help: "Calls per second below which a service is too quiet to judge. Default: 0.1." },
  "discovery-max-age": { type: "string", value: "TIME", help: "Age at which the answer of discovery counts as stale. Default: `5m`." },
  "certificate-warning": {
    type: "string",
    value: "TIME",
    help: "Time before its expiry at which a client certificate must be renewed. Default: `7d`.",
  },
} as const;

const yearMs = 365 * 86_400_000;

/** `inmesh assets --out DIR`. */
export const command: Command = declare({
  description:
    "Writes rules for Prometheus, an example for Alertmanager, dashboards for Grafana and the runbooks that alerts lead to, for your names and\nobjectives. Files that it wrote before are replaced, others only with --force. Needs no network.",
  positionals: [],
  options,
  examples: ["inmesh assets --out observability --job checkout --objective 0.9995"],
  run,
});

async function run({ values, terminal }: Call<typeof options>): Promise<number> {
  if (values.out === undefined) throw new UsageError("assets needs --out DIR");
  const files = await writeAssets(optionsOf(values, values.out)).catch((error: unknown) => {
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  });
  await terminal.lines(files.map(plain));
  return exitCodes.ok;
}

function optionsOf(values: Call<typeof options>["values"], out: string): WriteAssetsOptions {
  const time = (name: "latency" | "discovery-max-age" | "certificate-warning"): number | undefined =>
    values[name] === undefined ? undefined : readDuration(name, values[name], yearMs);
  const number = (name: "objective" | "min-rps"): number | undefined =>
    values[name] === undefined ? undefined : readNumber(name, values[name]);
  return {
    out,
    force: values.force,
    spelling: values.spelling,
    job: values.job,
    services: values.service,
    titlePrefix: values["title-prefix"],
    runbookUrl: values["runbook-url"],
    pageWebhook: values["page-webhook"],
    ticketWebhook: values["ticket-webhook"],
    objective: number("objective"),
    latencyObjectiveMs: time("latency"),
    minCallsPerSecond: number("min-rps"),
    discoveryMaxAgeMs: time("discovery-max-age"),
    certificateWarningMs: time("certificate-warning"),
  };
}
