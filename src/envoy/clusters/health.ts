import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** The active check of a cluster; `undefined` without one. */
export function healthCheckOf(cluster: Part): Options | undefined {
  const [check, second] = cluster.list("health_checks");
  if (check === undefined) return undefined;
  second?.refuse("Cluster.health_checks: one check decides; there are several");
  const intervalMs = check.ms("interval") ?? check.refuse("HealthCheck.interval is missing");
  const jitterPercent = check.number("interval_jitter_percent") ?? 0;
  const jitterMs = check.ms("interval_jitter") ?? 0;
  return {
    ...kindOf(check),
    intervalMs,
    timeoutMs: check.ms("timeout") ?? check.refuse("HealthCheck.timeout is missing"),
    unhealthyThreshold: check.number("unhealthy_threshold") ?? check.refuse("HealthCheck.unhealthy_threshold is missing"),
    healthyThreshold: check.number("healthy_threshold") ?? check.refuse("HealthCheck.healthy_threshold is missing"),
    jitter: Math.min(1, jitterPercent / 100 + jitterMs / intervalMs),
  };
}

function kindOf(check: Part): Options {
  const http = check.at("http_health_check");
  if (http !== undefined) {
    // Envoy's end of a range is outside of it.
    const statuses = http.list("expected_statuses").map((each) => [each.number("start") ?? 200, (each.number("end") ?? 201) - 1]);
    const path = http.text("path") ?? http.refuse("HttpHealthCheck.path is missing");
    return given({ type: "http", path, expectedStatuses: statuses.length === 0 ? [[200, 200]] : statuses });
  }
  const grpc = check.at("grpc_health_check");
  if (grpc !== undefined) return given({ type: "grpc", service: grpc.text("service_name") });
  if (check.at("tcp_health_check") !== undefined) return { type: "tcp" };
  return check.refuse("HealthCheck must have one of http_health_check, tcp_health_check and grpc_health_check");
}
