import { dirname, isAbsolute, resolve } from "node:path";
import { quoted } from "../core/text/clean-text.ts";
import { readFileSafely } from "../files/read-file.ts";
import { readResources } from "./read-text.ts";
import { EnvoyError } from "./text/envoy-error.ts";
import type { EnvoyNotice } from "./text/notice.ts";
import type { Part } from "./text/part.ts";
import { Resources } from "./text/resources.ts";

const maxBytes = 1_048_576;
/** Files that files may lead to. */
const maxFiles = 100;

/** The text of a file of Envoy. Rejects with an EnvoyError that names it. */
export async function textOf(path: string): Promise<string> {
  const bytes = await readFileSafely(path, { maxBytes }).catch((error: Error) => {
    throw new EnvoyError(path, error.message);
  });
  return bytes.toString("utf8");
}

/** Reads the files of resources that `root` leads to, and those that they lead to. A path is relative to the file that was named first. */
export async function resourcesOf(root: Part, source: string, notices: EnvoyNotice[]): Promise<Resources> {
  const resources = new Resources();
  const open = [...pathsIn(root)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const name = path.text() ?? "";
    if (resources.has(name)) continue;
    if (resources.size >= maxFiles) path.refuse(`the file leads to more than ${maxFiles} others`);
    const file = isAbsolute(name) ? name : resolve(dirname(source), name);
    const text = await textOf(file).catch((error: Error) =>
      path?.refuse(`PathConfigSource.path: the file ${quoted(name)} cannot be read: ${error.message}`),
    );
    const read = readResources(text ?? "", file, notices);
    resources.add(name, read);
    for (const each of read) open.push(...pathsIn(each));
  }
  return resources;
}

/** The paths of all sources of resources in a part. */
function* pathsIn(part: Part): Generator<Part> {
  if (Array.isArray(part.value)) for (const each of part.value) yield* pathsIn(each);
  for (const [name, each] of part.fields ?? []) {
    const path = name === "path_config_source" ? each.at("path") : undefined;
    if (path === undefined) yield* pathsIn(each);
    else yield path;
  }
}
