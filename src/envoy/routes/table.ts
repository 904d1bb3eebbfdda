import { faultType } from "../schema/http-filters.ts";
import { given, type Options } from "../text/data.ts";
import { typeOf } from "../text/kinds.ts";
import type { Part } from "../text/part.ts";
import { type Clusters, hashKeyOf, mirrorsOf, rewriteOf, targetOf } from "./action.ts";
import { answerOf, redirectOf } from "./answers.ts";
import { faultOf } from "./fault.ts";
import { changesOf } from "./headers.ts";
import { hostsInOrder } from "./hosts.ts";
import { matchOf } from "./match.ts";
import { retryOf } from "./retry.ts";

/** The levels that a route stands in, and what it may lead to. */
interface Levels {
  readonly table: Part;
  readonly virtualHost: Part;
  readonly filters: readonly Part[];
  readonly clusters: Clusters;
}

/** The routes of a table as rules, in the order in which the first that matches decides. A call that none of them matches is answered 404, as by Envoy. */
export function rulesOf(table: Part, filters: readonly Part[], clusters: Clusters): readonly Options[] {
  const rules: Options[] = [];
  const names = new Map<string, number>();
  let isEnd = false;
  for (const { virtualHost, domains } of hostsInOrder(table.list("virtual_hosts"))) {
    const levels: Levels = { table, virtualHost, filters, clusters };
    const isAny = domains.includes("*");
    const host = isAny ? undefined : domains.length === 1 ? domains[0] : domains;
    requireNoTls(virtualHost);
    let isClosed = false;
    for (const [index, route] of virtualHost.list("routes").entries()) {
      const name = `${virtualHost.text("name")}/${route.text("name") || index + 1}`;
      for (const rule of ruleOf(route, levels)) {
        const match = given({ host, ...(rule["match"] as Options) });
        rules.push({ name: unique(name, names), ...rule, match: Object.keys(match).length === 0 ? undefined : match });
        isClosed ||= Object.keys(match).every((part) => part === "host");
      }
    }
    isEnd ||= isAny && isClosed;
    if (!isClosed && !isAny)
      rules.push({ name: unique(`${virtualHost.text("name")}/none`, names), match: { host }, respond: { status: 404 } });
  }
  if (!isEnd) rules.push({ name: unique("none", names), respond: { status: 404 } });
  return rules.map(given);
}

function unique(name: string, names: Map<string, number>): string {
  const count = (names.get(name) ?? 0) + 1;
  names.set(name, count);
  return count === 1 ? name : `${name} (${count})`;
}

function requireNoTls(virtualHost: Part): void {
  const required = virtualHost.at("require_tls");
  if (required !== undefined && required.value !== "NONE")
    required.refuse("VirtualHost.require_tls: a call knows nothing of its caller's connection; redirect by a route");
}

/** A route as a rule; as several where its cluster is that of a header. */
function ruleOf(route: Part, levels: Levels): readonly Options[] {
  const match = route.at("match") ?? route.refuse("Route.match is missing");
  const read = matchOf(match);
  const { table, virtualHost } = levels;
  const order = table.flag("most_specific_header_mutations_wins") === true ? [table, virtualHost, route] : [route, virtualHost, table];
  const responseHeaders = changesOf(order, "response");
  const redirect = route.at("redirect");
  const response = route.at("direct_response");
  const action = route.at("route");
  if ([redirect, response, action].filter((each) => each !== undefined).length !== 1)
    route.refuse("Route must have one of route, redirect and direct_response");
  if (action === undefined) noteFault(route, levels);
  if (redirect !== undefined) {
    const needsPrefix = redirect.text("prefix_rewrite") ? { path: prefixOf(match) } : {};
    return [{ match: { ...read, ...needsPrefix }, redirect: redirectOf(redirect), responseHeaders }];
  }
  if (response !== undefined) return [{ match: read, respond: answerOf(response), responseHeaders }];
  const rule = actionRule(action as Part, match, read, route, levels);
  // Those of weighted clusters are put together with these for each.
  const isSplit = action?.at("weighted_clusters") !== undefined;
  const changes = isSplit ? {} : { requestHeaders: changesOf(order, "request"), responseHeaders };
  return byCluster({ ...rule, ...changes }, action as Part, levels, order);
}

/** A prefix that is replaced must stand in the match, be it that of every path. */
function prefixOf(match: Part): Options | undefined {
  return (matchOf(match)["path"] as Options | undefined) ?? { begins: "/" };
}

function actionRule(action: Part, match: Part, read: Options, route: Part, { table, virtualHost, filters, clusters }: Levels): Options {
  if (action.text("priority") === "HIGH")
    action.at("priority")?.refuse("RouteAction.priority: the limits of a service are the same for all calls");
  if (action.flag("auto_host_rewrite") === true)
    action
      .at("auto_host_rewrite")
      ?.notice(
        "difference",
        "RouteAction.auto_host_rewrite",
        "the host that instances see is the name of the service (peer.name), where it has one",
      );
  const rewrite = rewriteOf(action, match);
  return {
    match: rewrite?.["prefix"] === undefined ? read : { ...read, path: prefixOf(match) },
    rewrite,
    hashKey: hashKeyOf(action),
    options: optionsOf(action, virtualHost),
    mirror: mirrorsOf([action, virtualHost, table], clusters),
    fault: faultOfRoute([route, virtualHost, table], filters),
  };
}

/** Retries and time limits: Envoy's are of routes, with 15 seconds where nothing is said. */
function optionsOf(action: Part, virtualHost: Part): Options {
  const policy = action.at("retry_policy") ?? virtualHost.at("retry_policy");
  const timeoutMs = action.ms("timeout") ?? 15_000;
  const attemptMs = policy?.ms("per_try_timeout");
  const stream = action.ms("max_stream_duration", "max_stream_duration");
  const limits = [timeoutMs, stream].filter((each) => each !== undefined && each > 0) as number[];
  if (action.flag("hedge_policy", "hedge_on_per_try_timeout") === true)
    action
      .at("hedge_policy")
      ?.refuse("HedgePolicy.hedge_on_per_try_timeout: an attempt that times out is given up; use the option hedge of the service");
  const idle = action.at("idle_timeout");
  idle?.notice("difference", "RouteAction.idle_timeout", "a body without a byte is bounded by bodyIdleTimeoutMs of the service");
  return given({
    timeoutMs: limits.length === 0 ? false : Math.min(...limits),
    attemptTimeoutMs: attemptMs === undefined || attemptMs === 0 ? false : attemptMs,
    retry: retryOf(policy),
  });
}

/** The fault of the nearest level that has one, else of the filter. */
function faultOfRoute(levels: readonly Part[], filters: readonly Part[]): Options | undefined {
  const filter = filters.find((each) => each.flag("disabled") !== true);
  if (filter === undefined) return undefined;
  const config = levels.map(ownFault).find((each) => each !== undefined) ?? filter.at("typed_config");
  return config === undefined ? undefined : faultOf(config);
}

/** Faults of Envoy reach routes that send nothing, too. */
function noteFault(route: Part, { table, virtualHost, filters }: Levels): void {
  if (faultOfRoute([route, virtualHost, table], filters) !== undefined)
    route.notice("difference", "Route", "a fault is for calls that are sent, and not for redirects and answers of a rule");
}

/** The fault of one level. What is of another filter there is not read. */
function ownFault(level: Part): Part | undefined {
  for (const [name, each] of level.fields?.get("typed_per_filter_config")?.fields ?? [])
    if (typeOf(each) === faultType) return level.at("typed_per_filter_config", name);
  return undefined;
}

/** A rule for each cluster that the header may name, and an answer for all other values. */
function byCluster(rule: Options, action: Part, { clusters }: Levels, order: readonly Part[]): readonly Options[] {
  const header = action.text("cluster_header")?.toLowerCase();
  if (header === undefined) return [{ ...rule, ...targetOf(action, clusters, order) }];
  const match = rule["match"] as Options;
  const headers = (match["headers"] ?? {}) as Options;
  const status = { NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 }[action.text("cluster_not_found_response_code") ?? ""] ?? 503;
  if (Object.hasOwn(headers, header))
    action.at("cluster_header")?.refuse("RouteAction.cluster_header: the route has a condition on the same header");
  const known = [...clusters.keys()].map((name) => ({ ...rule, match: { ...match, headers: { ...headers, [header]: name } }, to: name }));
  return [...known, { match, respond: { status } }];
}
