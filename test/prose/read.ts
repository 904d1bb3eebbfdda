/**
 * The rooms of `src` whose comments keep to the rules of prose. `index` is `src/index.ts`. A room that has been read is added here;
 * `node test/prose/report.ts` says what is left in the others.
 */
export const readRooms: readonly string[] = [
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
  "cli/demo",
  "index",
  "testing",
  "testing/simulator",
];

/** Pages that have not been read yet, by how their paths begin. */
export const unreadPages: readonly string[] = [
  "CHANGELOG.md",
  "docs/extending/discovery.md",
  "docs/reference/admin.md",
  "docs/reference/cli.md",
  "docs/reference/connections.md",
  "docs/reference/discovery/",
  "docs/reference/performance.md",
  "docs/reference/prometheus.md",
  "docs/reference/telemetry.md",
];
