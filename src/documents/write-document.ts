import { loadYaml } from "./yaml-package.cjs";

/** A value as YAML, by its lines. */
export function yamlLines(value: unknown): readonly string[] {
  return loadYaml().stringify(value, { lineWidth: 0 }).trimEnd().split("\n");
}
