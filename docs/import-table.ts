// node docs/import-table.ts [--write]: the tables of imports in docs/architecture.md, from test/architecture; with --write
// it puts them in their place there.
import { readFileSync, writeFileSync } from "node:fs";
import { rooms } from "../test/architecture/rooms.ts";
import { bundledPackages, packages } from "../test/architecture/rules.ts";
import { withPart } from "./marked-part.ts";

const page = new URL("architecture.md", import.meta.url);

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(" ");

const tables: Readonly<Record<string, () => readonly string[]>> = {
  "import table": () => [
    "| room | may import |",
    "|---|---|",
    ...[...rooms].map(([room, targets]) => `| \`${room}\` | ${code(targets) || "no other room"} |`),
  ],
  "package table": () => [
    "| package | imported in |",
    "|---|---|",
    ...[...packages].map(([name, places]) => `| \`${name}\` | ${code(places)} |`),
    ...[...bundledPackages].map(([name, places]) => `| \`${name}\` | ${code(places)}, whose built file contains it |`),
  ],
};

/** The text of `docs/architecture.md` with the tables as they should be. */
export function withImportTables(text: string): string {
  return Object.entries(tables).reduce(
    (rest, [name, lines]) =>
      withPart(rest, `<!-- ${name}: written by docs/import-table.ts -->`, `<!-- end of ${name} -->`, lines().join("\n")),
    text,
  );
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(page, withImportTables(readFileSync(page, "utf8")));
  else for (const lines of Object.values(tables)) process.stdout.write(`${lines().join("\n")}\n\n`);
}
