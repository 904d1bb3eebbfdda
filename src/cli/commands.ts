import type { Command } from "./command.ts";

/** A command that is loaded when it is called. */
export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** All commands by name, in the order of the help. */
export const commands: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  ["demo", { summary: "three toy instances under load; one is killed, another becomes slow", load: () => import("./commands/demo.ts") }],
  ["services", { summary: "the services that a registry lists", load: () => import("./commands/services.ts") }],
  [
    "endpoints",
    { summary: "the endpoints of a service, and entries that a mesh would not use", load: () => import("./commands/endpoints.ts") },
  ],
  ["explain", { summary: "which endpoints a mesh would choose from, and why", load: () => import("./commands/explain.ts") }],
  ["fetch", { summary: "calls a service through a mesh; -v shows each attempt", load: () => import("./commands/fetch.ts") }],
  ["watch", { summary: "the endpoints of a service as they change", load: () => import("./commands/watch.ts") }],
  ["check", { summary: "checks what a mesh would need here, and says what to do", load: () => import("./commands/check.ts") }],
  ["stat", { summary: "the services of a running process", load: () => import("./commands/stat.ts") }],
  ["top", { summary: "the same, live", load: () => import("./commands/top.ts") }],
  ["policy", { summary: "decides on the test cases of a policy", load: () => import("./commands/policy.ts") }],
  [
    "config",
    {
      summary: "checks, prints and compares configurations in files",
      load: () => import("./commands/config.ts"),
    },
  ],
  ["route", { summary: "which route of a configuration decides on a call, and why", load: () => import("./commands/route.ts") }],
  [
    "gateway",
    {
      summary: "a reverse proxy by a configuration, or a file of nginx or Envoy",
      load: () => import("./commands/gateway.ts"),
    },
  ],
  [
    "import",
    {
      summary: "prints a file of nginx or Envoy as the configuration of a mesh",
      load: () => import("./commands/import.ts"),
    },
  ],
  [
    "parity",
    {
      summary: "compares a real nginx or Envoy with inmesh, by one file",
      load: () => import("./commands/parity.ts"),
    },
  ],
  ["assets", { summary: "writes dashboards and alerting rules", load: () => import("./commands/assets.ts") }],
]);
