/**
 * The rooms of `src` whose comments keep to the rules of prose. `index` is `src/index.ts`. A room that has been read is added here;
 * `node test/prose/report.ts` says what is left in the others.
 */
export const readRooms: readonly string[] = [
  "admin",
  "admin/page",
  "assets",
  "balancer",
  "balancer/candidates",
  "balancer/hashing",
  "balancer/learning",
  "balancer/lists",
  "balancer/load-probes",
  "balancer/load-reports",
  "balancer/pickers",
  "balancer/schedules",
  "cli",
  "cli/admin",
  "cli/check",
  "cli/commands",
  "cli/demo",
  "cli/fetch",
  "cli/registry",
  "cli/terminal",
  "core/observing",
  "index",
  "telemetry",
  "telemetry/metrics",
  "telemetry/observing",
  "telemetry/prometheus",
  "telemetry/spans",
  "testing",
  "testing/simulator",
];

/** Pages that have not been read yet, by how their paths begin. */
export const unreadPages: readonly string[] = ["docs/reference/connections.md", "docs/reference/performance.md"];
