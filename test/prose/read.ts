/**
 * The rooms of `src` whose comments keep to the rules of prose. `index` is `src/index.ts`. A room that has been read is added here;
 * `node test/prose/report.ts` says what is left in the others.
 */
export const readRooms: readonly string[] = ["index"];

/** Pages that have not been read yet, by how their paths begin. */
export const unreadPages: readonly string[] = [
  "docs/extending/discovery.md",
  "docs/guides/simulator.md",
  "docs/guides/testing.md",
  "docs/observability/",
  "docs/reference/admin.md",
  "docs/reference/balancing/",
  "docs/reference/cli.md",
  "docs/reference/connections.md",
  "docs/reference/discovery/",
  "docs/reference/performance.md",
  "docs/reference/pickers/",
  "docs/reference/prometheus.md",
  "docs/reference/telemetry.md",
];
