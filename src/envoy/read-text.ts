import { readDocument } from "../documents/read-document.ts";
import { bootstrap } from "./schema/bootstrap.ts";
import { resource } from "./schema/resource.ts";
import { EnvoyError } from "./text/envoy-error.ts";
import type { EnvoyNotice } from "./text/notice.ts";
import { type Part, partOf } from "./text/part.ts";

const kind = {
  name: "file",
  whenEmpty: "a file of Envoy has static_resources with clusters, and listeners with routes",
  Fault: EnvoyError,
};

function rootOf(text: string, source: string, notices: EnvoyNotice[]): Part {
  const { value, placeOf } = readDocument(text, source, kind);
  const root = partOf({ source, placeOf, notices }, [], value);
  if (root?.fields === undefined)
    throw new EnvoyError(source, "a file of Envoy is an object, which has static_resources", { line: 1, column: 1 });
  return root;
}

/** Reads a whole file of Envoy: each field is known, of its kind, and in the form of v3. */
export function readBootstrap(text: string, source: string, notices: EnvoyNotice[]): Part {
  const root = rootOf(text, source, notices);
  bootstrap(root, "Bootstrap");
  return root;
}

/** Reads a file of resources, to which another one leads: `resources`, each with its type. A single resource may stand alone. */
export function readResources(text: string, source: string, notices: EnvoyNotice[]): readonly Part[] {
  const root = rootOf(text, source, notices);
  const list = root.at("resources");
  const resources = list === undefined ? [root] : root.list("resources");
  for (const [index, each] of resources.entries()) {
    const field = list === undefined ? "resource" : `resources[${index}]`;
    each.accept(field, "nothing of the file that leads to it uses the resource");
    resource(each, field);
  }
  return resources;
}
