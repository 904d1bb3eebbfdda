import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** The limits of a cluster (`circuit_breakers`): Envoy's are 1,024 where nothing is said. */
export function limitsOf(cluster: Part, isHttp2: boolean): Options {
  const breakers = cluster.at("circuit_breakers");
  const all = breakers?.list("thresholds") ?? [];
  const high = all.find((each) => each.peek("priority") === "HIGH");
  high?.settle();
  high?.notice("difference", "Thresholds.priority", "no route has the priority HIGH, so these limits are never used");
  const limits = defaultLimits(cluster);
  const perHost = breakers?.list("per_host_thresholds")[0]?.number("max_connections");
  const requests = limits?.number("max_requests") ?? usual;
  const connections = limits?.number("max_connections") ?? usual;
  const pending = limits?.number("max_pending_requests") ?? usual;
  if (isHttp2)
    for (const field of ["max_connections", "max_pending_requests"])
      limits
        ?.at(field)
        ?.notice(
          "difference",
          `Thresholds.${field}`,
          "requests share connections of HTTP/2; max_requests alone bounds them, and none waits",
        );
  // A connection of HTTP/1.1 carries one request at a time.
  const inFlight = isHttp2 ? requests : Math.min(requests, connections);
  if (inFlight === 0) limits?.refuse("Thresholds: a limit of 0 would refuse every call");
  return given({
    concurrency: { maxInFlight: inFlight, maxQueued: isHttp2 ? 0 : pending, queueTimeoutMs: 15_000 },
    connections: perHost === undefined ? undefined : { max: Math.max(1, perHost) },
  });
}

/** Envoy's limit where a file says none. */
const usual = 1_024;

function defaultLimits(cluster: Part): Part | undefined {
  const found = cluster.list("circuit_breakers", "thresholds").find((each) => (each.peek("priority") ?? "DEFAULT") === "DEFAULT");
  found?.at("priority");
  return found;
}

/** The budget of retries that a cluster states. */
export function budgetOf(cluster: Part): Options | undefined {
  const budget = defaultLimits(cluster)?.at("retry_budget");
  if (budget === undefined) return undefined;
  const percent = budget.percent("budget_percent") ?? 20;
  budget.notice(
    "difference",
    "Thresholds.retry_budget",
    "retries are bounded to a share of the requests of the last seconds, not to one of those in flight",
  );
  return { ratio: Math.min(1, percent / 100), minRetriesPerSecond: budget.number("min_retry_concurrency") ?? 3 };
}

/** Whether a rule of Envoy is in force: each has a percentage of the ejections that it asks for. */
function enforced(detection: Part, field: string, fallback: number): boolean {
  const percent = detection.number(field) ?? fallback;
  if (percent > 0 && percent < 100)
    detection.at(field)?.notice("difference", `OutlierDetection.${field}`, "a rule ejects always or never; here it always does");
  return percent > 0;
}

/** The rules by which instances are taken out of rotation (`outlier_detection`). Without any, none is for what it answers. */
export function ejectionOf(cluster: Part): Options {
  const detection = cluster.at("outlier_detection");
  if (detection === undefined) return { breaker: false, ejection: false };
  const baseMs = detection.ms("base_ejection_time") ?? 30_000;
  const longestMs = Math.max(detection.ms("max_ejection_time") ?? 300_000, baseMs);
  return {
    breaker: {
      consecutiveFailures: consecutiveOf(detection),
      // More than all of the outcomes: by shares, only sweeps judge.
      failureRatio: 1,
      breakMs: baseMs,
      maxBreakMs: longestMs,
    },
    ejection: {
      intervalMs: detection.ms("interval") ?? 10_000,
      baseEjectionMs: baseMs,
      maxEjectionMs: longestMs,
      maxEjectionPercent: Math.max(1, detection.number("max_ejection_percent") ?? 10),
      successRate: successRate(detection),
      failurePercentage: failurePercentage(detection),
    },
  };
}

/** Without the split, connections that fail count as answers of 5xx. Here both do in any case. */
function noteSplit(detection: Part): boolean {
  const isSplit = detection.flag("split_external_local_origin_errors") === true;
  if (isSplit)
    detection
      .at("split_external_local_origin_errors")
      ?.notice(
        "difference",
        "OutlierDetection.split_external_local_origin_errors",
        "failures of connections and of answers are counted as one row, to the least of the numbers in force",
      );
  return isSplit;
}

/** The least number of failures in a row by which a rule in force ejects. */
function consecutiveOf(detection: Part): number {
  const rules: readonly (readonly [number: string, share: string, isOn: number])[] = [
    ["consecutive_5xx", "enforcing_consecutive_5xx", 100],
    ["consecutive_gateway_failure", "enforcing_consecutive_gateway_failure", 0],
    ["consecutive_local_origin_failure", "enforcing_consecutive_local_origin_failure", 100],
  ];
  const isSplit = noteSplit(detection);
  const counts = rules
    .filter(([field, share, isOn]) => (field !== "consecutive_local_origin_failure" || isSplit) && enforced(detection, share, isOn))
    .map(([field]) => [field, detection.number(field) ?? 5] as const)
    .filter(([, count]) => count > 0);
  const least = Math.min(Number.MAX_SAFE_INTEGER, ...counts.map(([, count]) => count));
  for (const [field, count] of counts)
    if (count > least)
      detection
        .at(field)
        ?.notice(
          "difference",
          `OutlierDetection.${field}`,
          `failures of all kinds are one row, and the least number in force counts: ${least}`,
        );
  return least;
}

function successRate(detection: Part): Options | false {
  if (!enforced(detection, "enforcing_success_rate", 100)) return false;
  return {
    deviations: (detection.number("success_rate_stdev_factor") ?? 1_900) / 1_000,
    minCalls: Math.max(1, detection.number("success_rate_request_volume") ?? 100),
    minInstances: Math.max(2, detection.number("success_rate_minimum_hosts") ?? 5),
  };
}

function failurePercentage(detection: Part): Options | false {
  if (!enforced(detection, "enforcing_failure_percentage", 0)) return false;
  return {
    threshold: Math.max(1, detection.number("failure_percentage_threshold") ?? 85),
    minCalls: Math.max(1, detection.number("failure_percentage_request_volume") ?? 50),
    minInstances: Math.max(2, detection.number("failure_percentage_minimum_hosts") ?? 5),
  };
}
