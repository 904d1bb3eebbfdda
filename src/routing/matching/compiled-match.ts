import { answeredCaller, keepAnsweredCallers } from "../../core/peers/answered-caller.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { RouteMatch, VersionMatch } from "../route-match.ts";
import type { Condition } from "./condition.ts";
import { type HostPlace, hostPlace, isAt } from "./host-place.ts";
import { type CompiledPath, compilePath } from "./path-place.ts";
import { queryValue } from "./query-value.ts";
import type { RoutedCall } from "./routed-call.ts";
import { textTest } from "./text-match.ts";
import { versionRange } from "./version-range.ts";

/** A match as it is tested: all of its conditions, and those of them that no index answers. */
export interface CompiledMatch {
  readonly services: readonly string[] | undefined;
  readonly hosts: readonly HostPlace[] | undefined;
  readonly methods: readonly string[] | undefined;
  readonly path: CompiledPath | undefined;
  /** All of them, the cheapest first. */
  readonly conditions: readonly Condition[];
  /** Those that an index by service, host, path and method leaves. */
  readonly rest: readonly Condition[];
}

/**
 * Compiles one match of a rule.
 * @throws Error for a wrong template, pattern or range.
 */
export function compileMatch(match: RouteMatch): CompiledMatch {
  const services = listOf(match.service);
  const hosts = listOf(match.host)?.map(hostPlace);
  const methods = listOf(match.method);
  const path = match.path === undefined ? undefined : compilePath(match.path);
  const host = hosts === undefined ? undefined : hostCondition(listOf(match.host) ?? [], hosts);
  const rest: Condition[] = [
    // The index looks for one of them.
    ...(services === undefined || host === undefined ? [] : [host]),
    ...(path === undefined || path.isWhole ? [] : [path.condition]),
    ...headerConditions(match),
    ...queryConditions(match),
    ...(match.version === undefined ? [] : [versionCondition(match.version)]),
    ...(match.caller === undefined ? [] : [callerCondition(listOf(match.caller) ?? [])]),
    // Last: it is asked of the calls that all of the others let through.
    ...(match.percent === undefined ? [] : [chanceCondition(match.percent)]),
  ];
  const conditions: Condition[] = [
    ...(services === undefined ? [] : [oneOf("service", services, (call) => call.request.service)]),
    ...(services !== undefined || host === undefined ? [] : [host]),
    ...(methods === undefined ? [] : [oneOf("method", methods, (call) => call.request.method)]),
    ...(path?.isWhole === true ? [path.condition] : []),
    ...rest,
  ];
  return { services, hosts, methods, path, conditions, rest };
}

/** Each value once: a list that names one twice must not cost twice. */
function listOf(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return given === undefined ? undefined : [...new Set([given].flat() as string[])];
}

function oneOf(part: string, values: readonly string[], read: (call: RoutedCall) => string): Condition {
  const wanted = new Set(values);
  return { part, demand: `is ${alternatives(values)}`, holds: (call) => wanted.has(read(call)) };
}

function hostCondition(given: readonly string[], hosts: readonly HostPlace[]): Condition {
  return { part: "host", demand: `is ${alternatives(given)}`, holds: (call) => hosts.some((place) => isAt(place, call.host)) };
}

function headerConditions({ headers = {} }: RouteMatch): readonly Condition[] {
  return Object.entries(headers).map(([given, match]) => {
    const name = given.toLowerCase();
    const { demand, holds } = textTest(match);
    return { part: `headers.${name}`, demand, holds: (call) => holds(call.request.headers[name]) };
  });
}

function queryConditions({ query = {} }: RouteMatch): readonly Condition[] {
  return Object.entries(query).map(([name, match]) => {
    const { demand, holds } = textTest(match);
    return { part: `query.${name}`, demand, holds: (call) => holds(queryValue(call.query, name)) };
  });
}

function callerCondition(given: readonly string[]): Condition {
  keepAnsweredCallers();
  const ids = new Set(given.filter((each) => !each.endsWith("/*")));
  const prefixes = given.filter((each) => each.endsWith("/*")).map((each) => each.slice(0, -1));
  const holds = (): boolean => {
    const identity = answeredCaller()?.identity;
    if (identity === undefined) return false;
    return ids.has(identity) || prefixes.some((prefix) => identity.length > prefix.length && identity.startsWith(prefix));
  };
  return { part: "caller", demand: `is ${alternatives(given)}`, holds };
}

function chanceCondition(percent: number): Condition {
  const condition: Condition = {
    part: "percent",
    demand: `is one of ${percent} % of the calls`,
    holds: (call) => call.draws(condition, percent / 100),
  };
  return condition;
}

function versionCondition({ from, range }: VersionMatch): Condition {
  const isIn = versionRange(range);
  const read = versionReader(from);
  const holds = (call: RoutedCall): boolean => {
    const version = read(call);
    return version !== undefined && isIn(version);
  };
  return { part: "version", demand: `is in ${quoted(range)}`, holds };
}

function versionReader(from: VersionMatch["from"]): (call: RoutedCall) => string | undefined {
  if (from === "mediaType") return (call) => versionOfMediaType(call.request.headers["accept"] ?? "");
  if ("header" in from) {
    const name = from.header.toLowerCase();
    return (call) => call.request.headers[name];
  }
  return (call) => {
    const segment = call.path.split("/", from.segment + 2)[from.segment + 1];
    return segment?.startsWith("v") ? segment : undefined;
  };
}

/** The parameter `version` of the first media type that has one: `application/json; version=2`. */
function versionOfMediaType(accept: string): string | undefined {
  return /;[ \t]*version[ \t]*=[ \t]*"?([\w.+-]{1,64})"?/i.exec(accept)?.[1];
}

const maxShown = 5;

function alternatives(values: readonly string[]): string {
  const shown = values.slice(0, maxShown).map(quoted);
  const more = values.length - shown.length;
  return `${shown.join(" or ")}${more > 0 ? ` or one of ${more} more` : ""}`;
}
