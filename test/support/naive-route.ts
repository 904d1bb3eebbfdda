import type { PathMatch, RouteMatch, TextMatch } from "../../src/routing/route-match.ts";

/** A call, as the naive reading sees it. */
export interface RoutedAsk {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The first list of matches of which one holds, as the reference page describes them, with nothing of the product's code; -1 for none. */
export function naiveRoute(rules: readonly (readonly RouteMatch[])[], ask: RoutedAsk): number {
  return rules.findIndex((matches) => matches.some((match) => holds(match, ask)));
}

function holds(match: RouteMatch, { service, method, path: whole, headers }: RoutedAsk): boolean {
  const [path = "", ...rest] = whole.split("?");
  const query = rest.join("?");
  const host = (headers["host"] ?? service).toLowerCase().split(":")[0] as string;
  const oneOf = (given: string | readonly string[] | undefined, isIt: (each: string) => boolean): boolean =>
    given === undefined || [given].flat().some((each) => isIt(each as string));
  return (
    oneOf(match.service, (each) => each === service) &&
    oneOf(match.method, (each) => each === method) &&
    oneOf(match.host, (each) => isHost(each, host)) &&
    (match.path === undefined || isPath(match.path, path)) &&
    Object.entries(match.headers ?? {}).every(([name, text]) => isText(text, headers[name.toLowerCase()])) &&
    Object.entries(match.query ?? {}).every(([name, text]) => isText(text, parameter(query, name)))
  );
}

function isHost(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  const source = pattern
    .split(".")
    .map((label) => (label === "*" ? ".+" : label))
    .join("\\.");
  return new RegExp(`^${source}$`).test(host);
}

function isPath(match: PathMatch, path: string): boolean {
  if ("template" in match) {
    const source = match.template
      .split("/")
      .slice(1)
      .map((part) => (/^\{\w+\*\}$/.test(part) ? "(?:/.*)?" : /^\{\w+\}$/.test(part) ? "/[^/]+" : `/${escaped(part)}`))
      .join("");
    return new RegExp(`^${source}$`).test(path);
  }
  const flags = match.ignoreCase ? "i" : "";
  if ("pattern" in match) return new RegExp(`^(?:${match.pattern})$`, flags).test(path);
  const source =
    "exact" in match
      ? `${escaped(match.exact)}$`
      : "begins" in match
        ? escaped(match.begins)
        : match.prefix.endsWith("/")
          ? escaped(match.prefix)
          : `${escaped(match.prefix)}(?:/|$)`;
  return new RegExp(`^${source}`, flags).test(path);
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

function isText(match: TextMatch, text: string | undefined): boolean {
  if (typeof match === "string") return text === match;
  const { exact, prefix, suffix, contains, pattern, range, present, ignoreCase, not = false } = match;
  const fold = (one: string): string => (ignoreCase ? one.toLowerCase() : one);
  const given = text === undefined ? undefined : fold(text);
  const part =
    exact !== undefined
      ? given === fold(exact)
      : prefix !== undefined
        ? given?.startsWith(fold(prefix)) === true
        : suffix !== undefined
          ? given?.endsWith(fold(suffix)) === true
          : contains !== undefined
            ? given?.includes(fold(contains)) === true
            : pattern !== undefined
              ? text !== undefined && new RegExp(`^(?:${pattern})$`, ignoreCase ? "i" : "").test(text)
              : range !== undefined
                ? text !== undefined && /^[+-]?\d+$/.test(text) && Number(text) >= range[0] && Number(text) < range[1]
                : (text !== undefined) === (present ?? true);
  return part !== not;
}

/** As forms have it: the first of the name, decoded; what is no percent-encoding stays. */
function parameter(query: string, name: string): string | undefined {
  const decoded = (text: string): string => {
    const spaced = text.replace(/\+/g, " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  };
  for (const pair of query.split("&")) {
    const [key = "", ...value] = pair.split("=");
    if (key !== "" && decoded(key) === name) return decoded(value.join("="));
  }
  return undefined;
}
