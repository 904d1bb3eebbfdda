import { checkChoice, checkFlag, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../core/options.ts";
import { type Spelling, spellings } from "./spelling.ts";
import { type AllThresholds, defaultThresholds, type Thresholds } from "./thresholds.ts";

/** What dashboards and rules are written for. */
export interface AssetsOptions extends Thresholds {
  /** How the exporter in use spells units: `otlp` (the default), which is also how `inmesh/prometheus` does, or `otel-js`. */
  readonly spelling?: Spelling | undefined;
  /** The `job` label of the processes that call. Default: any. */
  readonly job?: string | undefined;
  /** The services that are watched, by name. Default: all that are called. */
  readonly services?: readonly string[] | undefined;
  /** What the titles of dashboards begin with, and their identities, so that two sets can be loaded into one Grafana. Default: `inmesh`. */
  readonly titlePrefix?: string | undefined;
  /** The address of the page with the runbooks, which are also written to `runbooks.md`. Default: `runbooks.md`. */
  readonly runbookUrl?: string | undefined;
  /** The webhook that alerts of severity `page` go to. */
  readonly pageWebhook?: string | undefined;
  /** The webhook that alerts of severity `ticket` go to. */
  readonly ticketWebhook?: string | undefined;
}

/** {@link AssetsOptions}, checked and with nothing missing; without a `job` and without `services` all are meant. */
export interface AssetsSettings {
  readonly spelling: Spelling;
  readonly job: string | undefined;
  readonly services: readonly string[];
  readonly titlePrefix: string;
  readonly runbookUrl: string;
  readonly pageWebhook: string;
  readonly ticketWebhook: string;
  readonly thresholds: AllThresholds;
}

const keys = [
  "spelling",
  "job",
  "services",
  "titlePrefix",
  "runbookUrl",
  "pageWebhook",
  "ticketWebhook",
  ...Object.keys(defaultThresholds),
];

/** Beyond it a histogram knows only that a call took longer. */
const maxLatencyMs = 10_000;

/**
 * Checks options and fills in defaults.
 * @param also names of options that are the caller's own
 * @throws TypeError or RangeError naming the option and the value
 */
export function assetsSettings(options: AssetsOptions, also: readonly string[] = []): AssetsSettings {
  checkObject("assets", options);
  checkKeys("assets", options, [...keys, ...also]);
  const { spelling = "otlp", job, services = [], titlePrefix = "inmesh", runbookUrl = "runbooks.md" } = options;
  const { pageWebhook = "http://127.0.0.1:9095/page", ticketWebhook = "http://127.0.0.1:9095/ticket" } = options;
  checkChoice("assets: spelling", spelling, spellings);
  checkText("assets: job", job);
  if (!Array.isArray(services)) refuseOption("assets: services", services, "an array of names");
  for (const name of [...services, ...(job === undefined ? [] : [job])]) {
    if (typeof name !== "string" || !/^[^\p{Cc}]+$/u.test(name))
      refuseOption("assets: services and job", name, "a name without control characters");
  }
  checkText("assets: titlePrefix", titlePrefix);
  checkText("assets: runbookUrl", runbookUrl);
  if (runbookUrl.includes("#"))
    refuseOption("assets: runbookUrl", runbookUrl, "an address without a #, which begins the name of the alert");
  checkWebhook("assets: pageWebhook", pageWebhook);
  checkWebhook("assets: ticketWebhook", ticketWebhook);
  return { spelling, job, services, titlePrefix, runbookUrl, pageWebhook, ticketWebhook, thresholds: checkedThresholds(options) };
}

function checkedThresholds(options: Thresholds): AllThresholds {
  const {
    objective = defaultThresholds.objective,
    latencyObjectiveMs = defaultThresholds.latencyObjectiveMs,
    minCallsPerSecond = defaultThresholds.minCallsPerSecond,
    discoveryMaxAgeMs = defaultThresholds.discoveryMaxAgeMs,
    certificateWarningMs = defaultThresholds.certificateWarningMs,
  } = options;
  // Below 0.95, 14.4 times the budget is most of all calls, and at 0.93 more than there are: the alert could not fire.
  checkNumber("assets: objective", objective, 0.95, 0.99999);
  checkNumber("assets: latencyObjectiveMs", latencyObjectiveMs, 1, maxLatencyMs);
  checkNumber("assets: minCallsPerSecond", minCallsPerSecond, 0, 1e6);
  checkNumber("assets: discoveryMaxAgeMs", discoveryMaxAgeMs, 1_000, 1e12);
  checkNumber("assets: certificateWarningMs", certificateWarningMs, 1_000, 1e12);
  return { objective, latencyObjectiveMs, minCallsPerSecond, discoveryMaxAgeMs, certificateWarningMs };
}

/** Alertmanager would refuse it only when it starts. */
function checkWebhook(option: string, value: string): void {
  checkText(option, value);
  // The value is not shown: addresses of webhooks are secrets.
  if (!/^https?:$/.test(URL.parse(value)?.protocol ?? "")) throw new TypeError(`${option} must be an http or https address`);
}

/** Checks the options that say where files are written. */
export function checkTarget(out: unknown, force: unknown): void {
  checkText("assets: out", out);
  if (out === undefined) refuseOption("assets: out", out, "a directory");
  checkFlag("assets: force", force);
}
