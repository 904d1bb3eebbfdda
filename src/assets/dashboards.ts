import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AssetsSettings } from "./assets-options.ts";
import { regexFor } from "./selection.ts";
import { respelled } from "./spelling.ts";

/** Names of the dashboards. `observability/generate.ts` makes them, with the identities and titles that {@link adapted} replaces. */
export const dashboardNames = ["overview", "service", "discovery", "resilience", "security", "routes"] as const;

/** Text of a file of this package, by its path from the package's root. */
export async function readShipped(path: string): Promise<string> {
  // Not by the path of this module, which depends on bundling.
  const root = dirname(createRequire(import.meta.url).resolve("inmesh/package.json"));
  return await readFile(join(root, path), "utf8");
}

interface Variable {
  readonly name: string;
  regex?: string;
  allValue?: string;
  query?: unknown;
  current?: unknown;
}

/** The part of a dashboard's JSON that {@link adapted} changes. */
interface Dashboard {
  title: string;
  readonly templating: { readonly list: readonly Variable[] };
}

/** The JSON of a shipped dashboard with the user's spelling, job, services, objective and titles. */
export function adapted(text: string, { spelling, titlePrefix, job, services, thresholds }: AssetsSettings): string {
  const identity = identityOf(titlePrefix);
  // Identities: the dashboard's own, the targets of links, and the tag by which dashboards list each other.
  const named = respelled(text, spelling)
    .replace(/"uid": "inmesh-/g, `"uid": "${identity}-`)
    .replaceAll("/d/inmesh-", `/d/${identity}-`)
    .replace(/"tags": \[\s*"inmesh"\s*\]/g, `"tags": ["${identity}"]`);
  const dashboard = JSON.parse(named) as Dashboard;
  dashboard.title = dashboard.title.replace("inmesh", () => titlePrefix);
  for (const variable of dashboard.templating.list) {
    if (variable.name === "job" && job !== undefined) restrict(variable, [job]);
    if (variable.name === "service" && services.length > 0) restrict(variable, services);
    if (variable.name === "objective") setConstant(variable, String(thresholds.objective));
  }
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Letters, digits and hyphens; short enough for Grafana's limit of 40 with the dashboard's name behind it. */
function identityOf(titlePrefix: string): string {
  const words = titlePrefix.toLowerCase().match(/[a-z0-9]+/g) ?? ["inmesh"];
  return words.join("-").slice(0, 24);
}

/** Restricts a variable to these values, also where all values are chosen. */
function restrict(variable: Variable, values: readonly string[]): void {
  const either = values.map(regexFor).join("|");
  variable.regex = `/^(?:${either.replaceAll("/", "\\/")})$/`;
  // Grafana inserts this into PromQL's double quotes unchanged, where a backslash begins an escape.
  if (variable.allValue !== undefined) variable.allValue = either.replace(/[\\"]/g, "\\$&");
}

function setConstant(variable: Variable, value: string): void {
  variable.query = value;
  variable.current = { text: value, value };
}
