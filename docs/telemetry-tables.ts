// node docs/telemetry-tables.ts [--write]: the tables of docs/reference/telemetry.md, from the tables of names in src/telemetry; with --write it puts
// them in their place there.
import { readFileSync, writeFileSync } from "node:fs";
import { metricTable } from "../src/telemetry/metrics/metric-table.ts";
import { spanTable } from "../src/telemetry/spans/span-table.ts";
import { withPart } from "./marked-part.ts";

const page = new URL("reference/telemetry.md", import.meta.url);
const begin = "<!-- tables: written by docs/telemetry-tables.ts -->";
const end = "<!-- end of tables -->";

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(" ");

function telemetryTables(): string {
  const metrics = Object.values(metricTable).map(({ name, kind, unit, attributes, optional = {}, description }) => {
    const added = Object.entries(optional).map(([option, names]) => `; with \`${option}\` ${code(names)}`);
    return `| \`${name}\` | ${kind} | \`${unit}\` | ${code(attributes) || "none"}${added.join("")} | ${description} |`;
  });
  const spans = Object.values(spanTable).map(
    ({ name, kind, attributes, description }) => `| \`${name}\` | ${kind} | ${code(attributes)} | ${description} |`,
  );
  return [
    "| metric | kind | unit | attributes | what |",
    "|---|---|---|---|---|",
    ...metrics,
    "",
    "| span | kind | attributes | what |",
    "|---|---|---|---|",
    ...spans,
  ].join("\n");
}

/** The text of `docs/reference/telemetry.md` with the tables as they should be. */
export function withTables(text: string): string {
  return withPart(text, begin, end, telemetryTables());
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(page, withTables(readFileSync(page, "utf8")));
  else process.stdout.write(`${telemetryTables()}\n`);
}
