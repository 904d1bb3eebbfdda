import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AssetsSettings } from "./assets-options.ts";
import { regexFor } from "./selection.ts";
import { respelled } from "./spelling.ts";

/** The dashboards that there are. `observability/generate.ts` makes them, with names and titles that {@link adapted} knows. */
export const dashboardNames = ["overview", "service", "discovery", "resilience"] as const;

/** A file of the package's, by its path from the root of it. */
export async function readShipped(path: string): Promise<string> {
  // Where this code is depends on whether it was bundled; the package knows itself by its name.
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

/** What {@link adapted} changes of a dashboard. */
interface Dashboard {
  title: string;
  readonly templating: { readonly list: readonly Variable[] };
}

/** A dashboard, as the package has it, for somebody's exporter, job, services, objective and titles. */
export function adapted(text: string, { spelling, titlePrefix, job, services, thresholds }: AssetsSettings): string {
  const identity = identityOf(titlePrefix);
  // Identities: the dashboard's own, those that links lead to, and the tag that finds the others.
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

/** Letters, digits and hyphens, of which Grafana takes 40. */
function identityOf(titlePrefix: string): string {
  const words = titlePrefix.toLowerCase().match(/[a-z0-9]+/g) ?? ["inmesh"];
  return words.join("-").slice(0, 24);
}

/** Leaves out all values of a variable but these, also where all are chosen. */
function restrict(variable: Variable, values: readonly string[]): void {
  const either = values.map(regexFor).join("|");
  variable.regex = `/^(?:${either.replaceAll("/", "\\/")})$/`;
  // Put into PromQL's quotes as it is, where a backslash begins an escape.
  if (variable.allValue !== undefined) variable.allValue = either.replace(/[\\"]/g, "\\$&");
}

function setConstant(variable: Variable, value: string): void {
  variable.query = value;
  variable.current = { text: value, value };
}
