/**
 * Which rooms the files of a room may import beside their own; docs/architecture.md shows the same table. A room is a folder of `src`,
 * sub-rooms included: what is not in here does not exist. `NAME/*` stands for a room with all of its sub-rooms.
 */
export const rooms: ReadonlyMap<string, readonly string[]> = new Map([
  ["core", ["core/http", "core/observing", "core/settings"]],
  ["core/observing", ["core"]],
  ["core/http", []],
  ["core/settings", ["core"]],
  ["circuit", ["core/*", "circuit/opossum"]],
  ["circuit/opossum", ["core/*"]],
  ["discovery", ["core/*"]],
  ["discovery/combined", ["core/*", "discovery"]],
  ["discovery/dns", ["core/*", "discovery"]],
  ["discovery/file", ["core/*", "discovery"]],
  ["registration", ["core/*"]],
  ["registries", ["core/*", "discovery", "registration", "registries/consul", "registries/eureka"]],
  ["registries/consul", ["core/*", "discovery", "registration"]],
  ["registries/eureka", ["core/*", "discovery", "registration"]],
  ["balancer", ["core/*", "balancer/candidates"]],
  ["balancer/candidates", ["core/*", "balancer", "balancer/hashing"]],
  ["balancer/hashing", ["core/*", "balancer", "balancer/lists", "balancer/weights"]],
  ["balancer/learning", ["core/*", "balancer", "balancer/lists"]],
  ["balancer/lists", ["core/*"]],
  ["balancer/probing", ["core/*", "balancer/learning"]],
  ["balancer/weights", ["core/*", "balancer/lists"]],
  [
    "balancer/pickers",
    ["core/*", "balancer", "balancer/hashing", "balancer/learning", "balancer/lists", "balancer/probing", "balancer/weights"],
  ],
  ["rotation", ["core/*", "circuit", "rotation/ejection"]],
  ["rotation/ejection", ["core/*"]],
  ["rotation/health", ["core/*", "rotation", "wire"]],
  ["attempts", ["core/*", "balancer", "circuit", "rotation"]],
  ["policies", ["core/*", "circuit"]],
  ["policies/concurrency", ["core/*"]],
  ["policies/hedge", ["core/*", "policies/retry"]],
  ["policies/retry", ["core/*", "policies", "policies/retry/p-retry"]],
  ["policies/retry/p-retry", []],
  ["wire", ["core/*", "wire/undici"]],
  ["wire/undici", ["core/*"]],
  ["fetch", ["core/*"]],
  ["bridges", ["core/*", "attempts", "fetch", "wire"]],
  ["telemetry", ["core/*", "telemetry/metrics", "telemetry/prometheus", "telemetry/spans"]],
  ["telemetry/metrics", ["core/*", "telemetry"]],
  ["telemetry/observing", ["core/*"]],
  ["telemetry/prometheus", ["core/*", "telemetry/metrics"]],
  ["telemetry/spans", ["core/*", "telemetry"]],
  [
    "mesh",
    [
      "core/*",
      "circuit",
      "discovery/*",
      "registration",
      "balancer/*",
      "rotation/*",
      "attempts",
      "policies/*",
      "wire",
      "fetch",
      "bridges",
      "telemetry/*",
    ],
  ],
  [
    "index",
    [
      "core/*",
      "circuit",
      "discovery/*",
      "registration",
      "balancer/*",
      "rotation/*",
      "policies/*",
      "wire",
      "fetch",
      "bridges",
      "telemetry/*",
      "mesh",
    ],
  ],
  ["assets", ["core/*", "telemetry/*"]],
  ["admin", ["core/*", "mesh"]],
  ["admin/page", ["core/*", "admin"]],
  ["testing", ["core/*", "discovery/*", "registration", "mesh", "testing/contract", "testing/simulator"]],
  ["testing/contract", ["core/*", "discovery", "registration", "balancer", "testing"]],
  ["testing/simulator", ["core/*", "discovery", "policies", "mesh", "telemetry/observing", "wire", "testing"]],
  ["cli", ["core/*", "cli/commands", "cli/terminal", "index"]],
  ["cli/admin", ["core/*", "admin", "cli", "cli/terminal"]],
  ["cli/check", ["core/*", "cli", "cli/registry"]],
  [
    "cli/commands",
    ["core/*", "index", "admin", "assets", "cli", "cli/admin", "cli/check", "cli/demo", "cli/fetch", "cli/registry", "cli/terminal"],
  ],
  ["cli/demo", ["core/*", "index", "admin", "registries", "testing", "cli", "cli/terminal"]],
  ["cli/fetch", ["core/*", "index", "cli", "cli/terminal"]],
  ["cli/registry", ["core/*", "index", "registries", "cli", "cli/terminal"]],
  ["cli/terminal", ["core/*", "cli"]],
]);

/** `core/http` of `core/http/body.ts`, `index` of `index.ts`. */
export function roomOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end === -1 ? path.replace(/\.ts$/, "") : path.slice(0, end);
}

/** Whether the table lets `room` import `target`. */
export function mayImport(room: string, target: string): boolean {
  if (room === target) return true;
  return (rooms.get(room) ?? []).some((each) =>
    each.endsWith("/*") ? target === each.slice(0, -2) || target.startsWith(each.slice(0, -1)) : target === each,
  );
}
