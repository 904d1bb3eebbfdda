import { MeshError } from "../../core/errors.ts";
import { pathFault } from "../../core/http/path-fault.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import { parseTemplate, templateValues } from "../matching/template.ts";
import type { RouteRewrite } from "../route.ts";
import type { PathMatch } from "../route-match.ts";

/** The new path of a call, with its query, by the path and the query that it came with. */
export type PathChange = (path: string, query: string) => string;

/** The parts of a change that rules for paths and redirects share. */
export type PathParts = Pick<RouteRewrite, "path" | "prefix" | "pattern">;

/**
 * Compiles a change of the path for calls that one match of a rule lets through; `undefined` where it stays. The query stays, unless the new path brings one.
 * @throws Error for a wrong pattern.
 */
export function compilePathChange({ path, prefix, pattern }: PathParts, match: PathMatch | undefined): PathChange | undefined {
  if (path !== undefined) return wholePath(path, match);
  if (prefix !== undefined) return inPlaceOfPrefix(prefix, match);
  if (pattern === undefined) return undefined;
  const regex = linearRegex(pattern.pattern);
  return (given, query) => withQuery(regex.replaceAll(given, pattern.with), query);
}

function wholePath(path: string, match: PathMatch | undefined): PathChange {
  if (match === undefined || !("template" in match) || !path.includes("{")) return (_, query) => withQuery(path, query);
  const template = parseTemplate(match.template);
  const parts = path.split(/\{(\w+)\}/);
  return (given, query) => {
    const values = templateValues(template, given);
    return withQuery(parts.map((part, index) => (index % 2 === 1 ? (values.get(part) ?? "") : part)).join(""), query);
  };
}

function inPlaceOfPrefix(prefix: string, match: PathMatch | undefined): PathChange {
  if (match !== undefined && "begins" in match) {
    const { length } = match.begins;
    return (given, query) => withQuery(prefix + given.slice(length), query);
  }
  const length = match !== undefined && "prefix" in match ? match.prefix.length : 0;
  return (given, query) => withQuery(joined(prefix, given.slice(length)), query);
}

/** Whole segments are put together by one slash, whichever of them have one. */
function joined(prefix: string, rest: string): string {
  if (rest === "") return prefix;
  const base = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  return rest.startsWith("/") ? base + rest : `${base}/${rest}`;
}

/** A path that ends with `?` has no query. */
function withQuery(path: string, query: string): string {
  if (path.endsWith("?")) return path.slice(0, -1);
  return path.includes("?") ? path : path + query;
}

/**
 * A path that a rule has made, held to what holds for one of a caller; beyond that it may not begin with `//`, which readers take for a host.
 * @throws MeshError `ERR_MESH_ROUTE`
 */
export function checkedPath(path: string, service: string, rule: string): string {
  const fault = path.startsWith("/")
    ? path.startsWith("//")
      ? "the path begins with //"
      : pathFault(path)
    : "the path does not begin with a slash";
  if (fault === undefined) return path;
  throw new MeshError("ERR_MESH_ROUTE", `the route "${rule}" does not make a path of this one that can be sent: ${fault}`, {
    service,
    maybeExecuted: false,
    stack: false,
  });
}
