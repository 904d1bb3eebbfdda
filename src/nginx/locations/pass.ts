import { quoted } from "../../core/text/clean-text.ts";
import type { RouteRewrite } from "../../routing/route.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { linearPattern, wholePattern } from "../reading/regex.ts";
import type { Report } from "../reading/report.ts";
import { hasVariable, piecesOf } from "../reading/variables.ts";
import type { UpstreamSpec } from "../upstreams/upstream-spec.ts";
import type { Upstreams } from "../upstreams/upstreams.ts";
import type { LocationSpec } from "./location-spec.ts";

/** Where a location passes requests. */
export interface Pass {
  readonly upstream: UpstreamSpec;
  readonly isSecure: boolean;
  /** The name behind `http://`, which instances see as their host. */
  readonly host: string;
  readonly rewrite: RouteRewrite | undefined;
}

/** The parts that passes are read with. */
export interface PassReader {
  readonly upstreams: Upstreams;
  readonly report: Report;
}

/** The same path and query that came. */
const asItCame: ReadonlySet<string> = new Set(["$request_uri", "$uri$is_args$args", "$uri?$args", "$uri$is_args$query_string", "$uri"]);

/**
 * Reads `proxy_pass http://name[/path]`.
 * @param url the value, with the variables put in that are known
 */
export function passOf(directive: Directive, url: string, location: LocationSpec | undefined, { upstreams, report }: PassReader): Pass {
  const [, scheme, rest = ""] = /^(https?):\/\/(.*)$/.exec(url) ?? [];
  if (scheme === undefined) {
    if (/^\$/.test(url)) throw report.unsupported(directive, `where it goes is only known by a request: ${quoted(url)}`);
    throw faultOf(directive, `${quoted(url)} does not begin with http:// or https://`, directive.args[0]?.place);
  }
  const [host, uri] = splitHost(rest);
  if (hasVariable(host)) throw report.unsupported(directive, `where it goes is only known by a request: ${quoted(host)}`);
  if (host === "") throw faultOf(directive, "it names no upstream and no address");
  const isSecure = scheme === "https";
  const upstream = upstreams.of(directive, host, isSecure ? 443 : 80);
  return { upstream, isSecure, host, rewrite: rewriteTo(directive, uri, location, report) };
}

function splitHost(rest: string): readonly [host: string, uri: string | undefined] {
  if (rest.startsWith("unix:")) {
    const end = rest.indexOf(":", 5);
    return end === -1 ? [rest, undefined] : [rest.slice(0, end), rest.slice(end + 1) || undefined];
  }
  const end = /[/?$]/.exec(rest)?.index ?? -1;
  // `http://service$request_uri`; a variable in the name itself is no path.
  if (end === -1) return [rest, undefined];
  if (rest[end] === "$" && (end === 0 || rest[end - 1] === "." || rest[end - 1] === ":")) return [rest, undefined];
  return [rest.slice(0, end), rest.slice(end)];
}

function rewriteTo(
  directive: Directive,
  uri: string | undefined,
  location: LocationSpec | undefined,
  report: Report,
): RouteRewrite | undefined {
  if (uri === undefined || asItCame.has(uri)) {
    if (uri === "$uri") report.notice(directive, "the query goes along");
    return undefined;
  }
  if (location === undefined || location.kind === "named")
    throw faultOf(directive, "a path does not go with a location that has a name, an if or a limit_except");
  if (hasVariable(uri)) return rewriteByGroups(directive, uri, location, report);
  if (location.kind === "regex") throw faultOf(directive, "a path does not go with a location that is a pattern", directive.args[0]?.place);
  if (!uri.startsWith("/")) throw report.unsupported(directive, `the path ${quoted(uri)} does not begin with /`);
  const path = uri.replace(/[?#]$/, "");
  if (location.kind === "exact") return { path };
  return location.text === path ? undefined : { prefix: path };
}

/** `/v2/$1$is_args$args`, with groups of the location. nginx leaves the query out unless it is named. */
function rewriteByGroups(directive: Directive, uri: string, location: LocationSpec, report: Report): RouteRewrite {
  const plain = uri.replace(/(?:\$is_args\$(?:args|query_string)|\?\$(?:args|query_string))$/, "");
  const hasQuery = plain !== uri;
  const groups = piecesOf(plain);
  const wrong = groups.find(({ name }) => name !== undefined && !/^[1-9]$/.test(name));
  if (location.pattern === undefined || wrong !== undefined || !plain.startsWith("/"))
    throw report.unsupported(directive, `the path ${quoted(uri)} has variables other than the groups of the location's pattern`);
  const path = groups.map(({ text, name }) => (name === undefined ? replacementText(text) : `$${name}`)).join("");
  const isFolded = location.path !== undefined && "pattern" in location.path && location.path.ignoreCase === true;
  return {
    pattern: {
      pattern: `${isFolded ? "(?i)" : ""}^${wholePattern(location.pattern)}$`,
      with: hasQuery || path.includes("?") ? path : `${path}?`,
    },
  };
}

/** `rewrite PATTERN TEXT` as the change of a path; a `?` at the end leaves the query out. */
export function rewriteOf(directive: Directive, report: Report): RouteRewrite {
  const [regex, to] = directive.args;
  if (regex === undefined || to === undefined) throw faultOf(directive, "it takes a pattern and a path");
  const pattern = linearPattern(directive, regex.text, regex.place);
  const pieces = piecesOf(to.text);
  if (pieces.some(({ name }) => name !== undefined && !/^[1-9]$/.test(name)))
    throw report.unsupported(directive, `${quoted(to.text)} has variables other than the groups of its pattern`, to.place);
  const path = pieces.map(({ text, name }) => (name === undefined ? replacementText(text) : `$${name}`)).join("");
  if (/\?./.test(path))
    throw report.unsupported(directive, "parameters of its own in front of those of the request are not supported", to.place);
  return { pattern: { pattern: `^${wholePattern(pattern)}$`, with: path } };
}

function replacementText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("$", "$$$$");
}
