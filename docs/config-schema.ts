// node docs/config-schema.ts [--write]: the JSON Schema of a configuration in a file, from the tables of the options in src with the doc comments of
// the interfaces beside them; with --write it becomes `config.schema.json`.
import { readFileSync, writeFileSync } from "node:fs";
import { configSchema } from "../src/config/config-schema.ts";
import { meshTables } from "../src/config/read-config.ts";
import { serviceTables } from "../src/mesh/service-options.ts";
import { OptionComments, programOf } from "./option-comments.ts";

const file = new URL("../config.schema.json", import.meta.url);

/** The text of `config.schema.json` as it should be. */
export function schemaText(): string {
  const mesh = "src/mesh/mesh-options.ts";
  const comments = new OptionComments(programOf([mesh]), mesh, "MeshOptions");
  const describe = (path: readonly string[]) => comments.of(path).sentence;
  return `${JSON.stringify(configSchema(meshTables, serviceTables, describe), null, 1)}\n`;
}

/** The text of `config.schema.json` as it is. */
export function writtenSchema(): string {
  return readFileSync(file, "utf8");
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(file, schemaText());
  else process.stdout.write(schemaText());
}
