import { DocumentError } from "../../documents/document-error.ts";
import type { FindPlace, PartPath } from "../../documents/part-path.ts";
import { readDocument } from "../../documents/read-document.ts";
import { checkRoutes } from "../checks/check-routes.ts";
import type { Route } from "../route.ts";

/** How errors call a table of routes. */
const kind = { name: "table of routes", whenEmpty: "a table without any rule is []", Fault: DocumentError };

/**
 * Reads a table of routes in JSON or YAML: a list, or an object with the list as `routes`. `source` names it in errors.
 * @throws DocumentError with line and column, for what is no table of routes.
 */
export function parseRoutes(text: string, source: string): readonly Route[] {
  const { value, placeOf } = readDocument(text, source, kind);
  const isList = Array.isArray(value);
  const routes: unknown = isList ? value : listIn(value, source);
  try {
    checkRoutes("routes", routes);
  } catch (error) {
    const { message } = error as Error;
    throw new DocumentError(source, message, placeIn(message, isList ? [] : ["routes"], placeOf));
  }
  return routes;
}

function listIn(value: unknown, source: string): unknown {
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (names.length === 1 && names[0] === "routes") return (value as { readonly routes: unknown }).routes;
  throw new DocumentError(source, "a table of routes is a list, or an object with the list as `routes` and nothing else", {
    line: 1,
    column: 1,
  });
}

/** The place of the part that a message begins with, or of the nearest part around it that is there. */
function placeIn(message: string, root: PartPath, placeOf: FindPlace): ReturnType<FindPlace> {
  const named = /^routes((?:\.[\w-]+|\[\d+\])+)/.exec(message)?.[1] ?? "";
  const parts = [...named.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  for (let length = parts.length; length >= 0; length--) {
    const place = placeOf([...root, ...parts.slice(0, length)]);
    if (place !== undefined) return place;
  }
  return undefined;
}
