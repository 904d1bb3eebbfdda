import { quoted } from "../../core/text/clean-text.ts";
import type { Route } from "../../routing/route.ts";
import type { RouteMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { Level } from "../reading/level.ts";
import { Unsupported } from "../reading/report.ts";
import { type ListenAddress, listenAddresses } from "./listeners.ts";
import { orderLocations } from "./location-order.ts";
import { answersOf, locationRules, type Rule, type RuleReader } from "./location-routes.ts";
import type { LocationSpec } from "./location-spec.ts";
import { type ServerName, serverNames } from "./server-names.ts";

/** A server with what is known of it. */
export interface ServerSpec {
  readonly level: Level;
  readonly names: readonly ServerName[];
  readonly addresses: readonly ListenAddress[];
  readonly directive: Directive;
}

/** The parts that the rules of all servers are made with. */
export type GivenReader = Omit<RuleReader, "named" | "exact" | "facts">;

/** Reads the servers of a file. */
export function serversOf(http: Level): readonly ServerSpec[] {
  return http.own("server").map((directive) => {
    if (directive.block === undefined) throw faultOf(directive, "it needs a block");
    const known = staticValues(directive.block);
    const level = new Level(directive.block, http, known);
    return { level, names: serverNames(level), addresses: listenAddresses(level), directive };
  });
}

/** Variables that a server fixes. */
function staticValues(block: readonly Directive[]): ReadonlyMap<string, string> {
  const name = block.find((each) => each.name === "server_name")?.args[0]?.text;
  return new Map(name !== undefined && /^[\w.-]+$/.test(name) && name !== "_" ? [["server_name", name]] : []);
}

/** The rules for what comes at one address, in the order in which nginx finds server and location. */
export function routesAt(
  address: string,
  servers: readonly ServerSpec[],
  reader: GivenReader,
  takeName: (name: string) => string,
): readonly Route[] {
  const here = servers.filter(({ addresses }) => addresses.some((each) => each.address === address));
  const isSecure = here.some(({ addresses }) => addresses.some((each) => each.address === address && each.isSecure));
  const fallback = here.find(({ addresses }) => addresses.some((each) => each.address === address && each.isDefault)) ?? here[0];
  const routes: Route[] = [];
  const named = here.flatMap((server) => server.names.map((name) => ({ server, name })));
  checkNames(named);
  const order = named.sort((one, other) => one.name.rank - other.name.rank || other.name.length - one.name.length);
  for (const { server, match } of joined(order)) {
    // The last one has the same rules for every name.
    if (server === fallback && named.every((each) => each.server === fallback)) continue;
    routes.push(...serverRoutes(server, match, isSecure, reader, takeName));
  }
  if (fallback !== undefined) routes.push(...serverRoutes(fallback, {}, isSecure, reader, takeName));
  return routes;
}

function checkNames(named: readonly { readonly server: ServerSpec; readonly name: ServerName }[]): void {
  const seen = new Map<string, ServerSpec>();
  for (const { server, name } of named) {
    const host = name.match.host;
    if (typeof host !== "string") continue;
    const known = seen.get(host);
    if (known !== undefined && known !== server)
      throw faultOf(
        server.directive,
        `the name ${quoted(host)} is that of another server at the same address, at line ${known.directive.place.line}`,
      );
    seen.set(host, server);
  }
}

/** Names of one server that follow each other, as one match. */
function joined(
  order: readonly { readonly server: ServerSpec; readonly name: ServerName }[],
): readonly { readonly server: ServerSpec; readonly match: RouteMatch }[] {
  const all: { server: ServerSpec; match: RouteMatch; hosts: string[] }[] = [];
  for (const { server, name } of order) {
    const last = all.at(-1);
    const host = name.match.host as string | undefined;
    if (host !== undefined && last?.server === server && last.hosts.length > 0) last.hosts.push(host);
    else all.push({ server, match: name.match, hosts: host === undefined ? [] : [host] });
  }
  return all.map(({ server, match, hosts }) => ({ server, match: hosts.length > 1 ? { ...match, host: hosts } : match }));
}

function serverRoutes(
  server: ServerSpec,
  match: RouteMatch,
  isSecure: boolean,
  given: GivenReader,
  takeName: (name: string) => string,
): readonly Route[] {
  const { level, directive } = server;
  const { ordered, named } = orderLocations(level);
  const exact = new Map(ordered.filter(({ kind }) => kind === "exact").map((location) => [location.text, location]));
  const reader: RuleReader = { ...given, facts: { isSecure }, named, exact };
  const routes: Route[] = [];
  const add = (rules: readonly Rule[], name: string): void => {
    for (const { match: own, ...rule } of rules)
      routes.push({ name: takeName(name), ...(Object.keys(own).length === 0 ? {} : { match: own }), ...rule });
  };
  const first = supported(given, level, match, () => answersOf(level, match, reader).rules);
  add(first, `server:${directive.place.line}`);
  if (first.some((rule) => rule.match === match)) return routes;
  const texts = new Set(ordered.filter(({ kind }) => kind !== "regex").map(({ text }) => text));
  const slashes = ordered.flatMap((location) => slashRule(location, texts, match));
  // A path without the slash of a location goes before patterns and prefixes.
  const isLate = ({ kind }: LocationSpec) => kind !== "exact";
  const late = ordered.findIndex(isLate);
  for (const [index, location] of ordered.entries()) {
    if (index === late) for (const rule of slashes) add([rule], `slash:${(rule.redirect as { path: string }).path}`);
    const whole = location.path === undefined ? match : { ...match, path: location.path };
    add(rulesOf(location, whole, level, reader), `${location.directive.place.line}:${location.text}`);
  }
  if (!ordered.some(({ path, kind }) => path === undefined && kind !== "named"))
    add([{ match, respond: { status: 404 } }], `none:${directive.place.line}`);
  return routes;
}

function rulesOf(location: LocationSpec, match: RouteMatch, server: Level, reader: RuleReader): readonly Rule[] {
  if (location.level.ownOne("internal") === undefined && !isErrorPage(location, server))
    return supported(reader, location.level, match, () => locationRules(location, match, reader));
  reader.report.notice(location.directive, "it answers no request from outside");
  return [{ match, respond: { status: 404 } }];
}

/** The rules of a block, or the answer in place of one with a directive that is not supported. */
function supported({ report }: GivenReader, level: Level, match: RouteMatch, make: () => readonly Rule[]): readonly Rule[] {
  try {
    report.blockOf(level);
    return make();
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    return [{ match, respond: { status: 501 } }];
  }
}

/** A page that stands for a failure, as in `error_page 500 /50x.html`. */
function isErrorPage({ kind, text, level }: LocationSpec, server: Level): boolean {
  if (kind !== "exact" || level.own("proxy_pass").length > 0 || level.own("return").length > 0) return false;
  return server.all("error_page").some(({ args }) => args.at(-1)?.text === text);
}

/** A location that ends with a slash and passes requests on sends one without it there. */
function slashRule({ kind, text, level }: LocationSpec, texts: ReadonlySet<string>, match: RouteMatch): readonly Rule[] {
  if ((kind !== "prefix" && kind !== "final-prefix") || text === "/" || !text.endsWith("/") || level.own("proxy_pass").length === 0)
    return [];
  const path = text.slice(0, -1);
  if (texts.has(path)) return [];
  return [{ match: { ...match, path: { exact: path } }, redirect: { status: 301, path: text } }];
}
