import type { Route, RouteMatch } from "../../index.ts";

/** A request that both sides get. */
export interface Probe {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const maxProbes = 500;

/** Requests that reach each rule of a file, as far as they can be made up from it. */
export function probesFor({ routes }: { readonly routes: readonly Route[] }): readonly Probe[] {
  const probes = new Map<string, Probe>();
  for (const match of routes.flatMap(matchesOf)) {
    const host = hostIn(match);
    const headers = headersIn(match);
    for (const method of [match.method].flat().slice(0, 2))
      for (const path of pathsIn(match)) {
        const probe = { method: method ?? "GET", host, path, ...(headers === undefined ? {} : { headers }) };
        if (probes.size < maxProbes) probes.set(JSON.stringify(probe), probe);
      }
  }
  return [...probes.values()];
}

function matchesOf({ match }: Route): readonly RouteMatch[] {
  if (match === undefined) return [{}];
  return Array.isArray(match) ? match : [match as RouteMatch];
}

function hostIn({ host }: RouteMatch): string {
  const [first = "parity.test"] = [host].flat();
  return first.replace(/^\*/, "parity").replace(/\*$/, "test");
}

/** Headers with which the conditions on them hold, as far as they say a text. */
function headersIn({ headers }: RouteMatch): Probe["headers"] | undefined {
  const entries = Object.entries(headers ?? {}).flatMap(([name, match]) => {
    if (typeof match === "string") return [[name, match] as const];
    const text =
      match.exact ?? match.prefix ?? match.suffix ?? match.contains ?? match.range?.[0] ?? (match.present === true ? "parity" : undefined);
    return text === undefined || match.not === true ? [] : [[name, String(text)] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function pathsIn({ path }: RouteMatch): readonly string[] {
  if (path === undefined) return ["/", "/parity?a=b"];
  if ("exact" in path) return [path.exact, `${path.exact}?a=b`];
  if ("begins" in path) return [path.begins, `${path.begins}x`, `${path.begins.replace(/\/$/, "")}/parity?a=b`];
  if ("prefix" in path) return [path.prefix, `${path.prefix.replace(/\/$/, "")}/parity?a=b`, `${path.prefix}x`];
  if ("template" in path) return [path.template.replaceAll(/\{\w+\*?\}/g, "parity")];
  return "pattern" in path ? sampleOf(path.pattern) : [];
}

/** A path that a simple pattern matches; none for one that is not simple. */
function sampleOf(pattern: string): readonly string[] {
  let text = pattern
    .replaceAll("(?s:.*?)", "")
    .replaceAll("(?s:.*)", "")
    .replaceAll(/\(\?P<\w+>|\(\?:/g, "(")
    .replaceAll(/\[\^\/\][+*]?|\\w[+*]?|\[[\w-]+\][+*]?/g, "a")
    .replaceAll(/\\d[+*]?|\[0-9\][+*]?/g, "1")
    .replaceAll(/\.[*+]\??/g, "b");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\(([^()|]*)(?:\|[^()]*)?\)\??/g, "$1");
  }
  text = text.replaceAll(/\\([./-])/g, "$1").replaceAll(/[?^$]/g, "");
  if (/[\\()[\]{}|*+]/.test(text)) return [];
  return [text.startsWith("/") ? text : `/parity${text}`];
}
