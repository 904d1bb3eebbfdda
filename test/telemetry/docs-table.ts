import { metricTable, spanTable } from "../../src/telemetry/names.ts";

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(" ");

/** The tables of docs/telemetry.md, as the name tables have them. */
export function docsTables(): string {
  const metrics = Object.values(metricTable).map(({ name, kind, unit, attributes, optional = {}, description }) => {
    const added = Object.entries(optional).map(([option, names]) => `; with \`${option}\` ${code(names)}`);
    return `| \`${name}\` | ${kind} | \`${unit}\` | ${code(attributes)}${added.join("")} | ${description} |`;
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
