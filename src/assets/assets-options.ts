import { checkChoice, checkFlag, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../core/settings/checks.ts";
import { type Spelling, spellings } from "./spelling.ts";
import { type AllThresholds, defaultThresholds, type Thresholds } from "./thresholds.ts";

/** Selection, names and thresholds of dashboards and rules. */
export interface AssetsOptions extends Thresholds {
  /** Spelling of units by the exporter in use: `otlp`, which `inmesh/prometheus` has too, or `otel-js`. @default "otlp" */
  readonly spelling?: Spelling | undefined;
  /** The `job` label of the calling processes. @default any */
  readonly job?: string | undefined;
  /** Names of the services in rules and dashboards. @default all that are called */
  readonly services?: readonly string[] | undefined;
  /** Beginning of the titles and identities of dashboards, so that two sets can be loaded into one Grafana. @default "inmesh" */
  readonly titlePrefix?: string | undefined;
  /** Address of the page with the runbooks, which are also written to `runbooks.md`. @default "runbooks.md" */
  readonly runbookUrl?: string | undefined;
  /** Webhook for alerts of severity `page`. @default "http://127.0.0.1:9095/page", a placeholder */
  readonly pageWebhook?: string | undefined;
  /** Webhook for alerts of severity `ticket`. @default "http://127.0.0.1:9095/ticket", a placeholder */
  readonly ticketWebhook?: string | undefined;
}

/** {@link AssetsOptions}, checked and with the defaults filled in. `job: undefined` and `services: []` select everything. */
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

/** Upper boundary of the last finite bucket of the histograms of durations. */
const maxLatencyMs = 10_000;

/**
 * Checks the options and fills in the defaults.
 * @param also names of further options that the caller checks itself
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
  // Below 0.95 the bound of the fast alert, 14.4 times the budget, is most of all calls, and from 0.93 on down more than all of them.
  checkNumber("assets: objective", objective, 0.95, 0.99999);
  checkNumber("assets: latencyObjectiveMs", latencyObjectiveMs, 1, maxLatencyMs);
  checkNumber("assets: minCallsPerSecond", minCallsPerSecond, 0, 1e6);
  checkNumber("assets: discoveryMaxAgeMs", discoveryMaxAgeMs, 1_000, 1e12);
  checkNumber("assets: certificateWarningMs", certificateWarningMs, 1_000, 1e12);
  return { objective, latencyObjectiveMs, minCallsPerSecond, discoveryMaxAgeMs, certificateWarningMs };
}

/** Alertmanager itself would refuse a wrong address only when it starts. */
function checkWebhook(option: string, value: string): void {
  checkText(option, value);
  // The value is not shown: addresses of webhooks are secrets.
  if (!/^https?:$/.test(URL.parse(value)?.protocol ?? "")) throw new TypeError(`${option} must be an http or https address`);
}

/**
 * Checks the target directory and `force`.
 * @throws TypeError naming the option and the value
 */
export function checkTarget(out: unknown, force: unknown): void {
  checkText("assets: out", out);
  if (out === undefined) refuseOption("assets: out", out, "a directory");
  checkFlag("assets: force", force);
}
