import type { Route, RouteMirror, RouteSplit } from "../../routing/route.ts";
import type { RouteMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { Level } from "../reading/level.ts";
import type { MapSpec, SplitSpec } from "../reading/maps.ts";
import type { Report } from "../reading/report.ts";
import { piecesOf } from "../reading/variables.ts";
import type { Upstreams } from "../upstreams/upstreams.ts";
import type { UsedServices } from "../upstreams/used-services.ts";
import { answerOf, redirectTo } from "./answer.ts";
import { conditionOf, matchOf, type ServerFacts } from "./conditions.ts";
import { answeredHeaders, sentHeaders } from "./header-changes.ts";
import type { LocationSpec } from "./location-spec.ts";
import { type Pass, passOf, rewriteOf } from "./pass.ts";

/** A rule without its name, and with its one match. */
export type Rule = Omit<Route, "name" | "match"> & { readonly match: RouteMatch };

/** The parts that the rules of locations are made with. */
export interface RuleReader {
  readonly upstreams: Upstreams;
  readonly services: UsedServices;
  readonly report: Report;
  readonly maps: ReadonlyMap<string, MapSpec>;
  readonly splits: ReadonlyMap<string, SplitSpec>;
  readonly facts: ServerFacts;
  readonly named: ReadonlyMap<string, LocationSpec>;
  /** Locations of the server by their exact path, for mirrors. */
  readonly exact: ReadonlyMap<string, LocationSpec>;
}

const other: Rule = { match: {}, respond: { status: 404 } };

/** The rules that stand for what a location, or a server in front of its locations, does first: conditions and answers. Whether nothing comes behind them. */
export function answersOf(
  level: Level,
  match: RouteMatch,
  reader: RuleReader,
): { readonly rules: readonly Rule[]; readonly isEnd: boolean } {
  const rules: Rule[] = [];
  for (const directive of level.directives) {
    if (directive.name === "if") rules.push(...conditionalAnswers(directive, level, match, reader));
    else if (directive.name === "return") return { rules: [...rules, answerRule(directive, level, match, reader)], isEnd: true };
    else if (directive.name === "rewrite") rules.push(...redirectsOf(directive, match, reader.report));
  }
  return { rules: [...rules, ...denials(level, match, reader)], isEnd: false };
}

function answerRule(directive: Directive, level: Level, match: RouteMatch, { report }: RuleReader): Rule {
  const responseHeaders = answeredHeaders(level, report);
  return { match, ...answerOf(directive, level, report), ...(responseHeaders === undefined ? {} : { responseHeaders }) };
}

function conditionalAnswers(directive: Directive, level: Level, match: RouteMatch, reader: RuleReader): readonly Rule[] {
  const condition = conditionOf(directive, reader.facts, reader.report);
  const block = directive.block ?? [];
  const [inner, more] = block.filter(({ name }) => !["access_log", "add_header", "default_type"].includes(name));
  if (inner === undefined) return [];
  if (inner.name !== "return" || more !== undefined)
    throw reader.report.unsupported(
      more ?? inner,
      "in an if there is only a return, as in: if ($host = www.example.com) { return 301 …; }",
    );
  if (condition === "never") return [];
  const whole = condition === "always" ? match : bothOf(match, condition);
  if (whole === undefined)
    throw reader.report.unsupported(directive, "the condition is on what the server or the location decides already");
  return [answerRule(inner, new Level(block, level), whole, reader)];
}

/** A match of the calls that both match; `undefined` where both have a part that can be one thing only. */
function bothOf(one: RouteMatch, two: RouteMatch): RouteMatch | undefined {
  if (one.path !== undefined && two.path !== undefined) return undefined;
  if (one.method !== undefined && two.method !== undefined) return undefined;
  const host = two.host ?? one.host;
  // A name in an if is one of the server's: another one would never come.
  return {
    ...one,
    ...two,
    ...(host === undefined ? {} : { host }),
    ...(one.headers || two.headers ? { headers: { ...one.headers, ...two.headers } } : {}),
    ...(one.query || two.query ? { query: { ...one.query, ...two.query } } : {}),
  };
}

/** `rewrite PATTERN URL redirect|permanent` answers; others change the path of what is passed on. */
function redirectsOf(directive: Directive, match: RouteMatch, report: Report): readonly Rule[] {
  const [regex, to, flag] = directive.args;
  if (regex === undefined || to === undefined) throw faultOf(directive, "it takes a pattern and a path");
  const isUrl = /^(?:https?|\$scheme):\/\//.test(to.text);
  if (flag?.text !== "redirect" && flag?.text !== "permanent" && !isUrl) return [];
  const status = flag?.text === "permanent" ? 301 : 302;
  if (match.path !== undefined) throw report.unsupported(directive, "a redirect by a pattern stands in a server, or in the location /");
  if (!isUrl) {
    const pattern = rewriteOf(directive, report).pattern ?? { pattern: "", with: "" };
    return [{ match: { ...match, path: { pattern: pattern.pattern.replace(/^\^|\$$/g, "") } }, redirect: { status, pattern } }];
  }
  // The whole path stays, with or without its first slash in the group.
  const isWhole = /^(?:\^\(\.\*\)\$?|\(\.\*\))$/.test(regex.text);
  const isBehindSlash = /^\^\/\(\.\*\)\$?$/.test(regex.text);
  const target = isWhole ? to.text.replace(/\$1$/, "$request_uri") : isBehindSlash ? to.text.replace(/\/\$1$/, "$request_uri") : to.text;
  if (!/^(?:\^|\.\*)$/.test(regex.text) && !(isWhole || isBehindSlash))
    throw report.unsupported(directive, "a redirect to another host keeps the whole path: rewrite ^(.*)$ https://host$1 permanent;");
  return [{ match, redirect: redirectTo(directive, status, target, report) }];
}

/** `deny all` answers 403; with anything else it decides by the address. */
function denials(level: Level, match: RouteMatch, { report }: RuleReader): readonly Rule[] {
  const deny = level.all("deny");
  const allow = level.all("allow");
  const [first] = level.own("deny");
  if (allow.some(({ args }) => args[0]?.text !== "all") || deny.some(({ args }) => args[0]?.text !== "all"))
    throw report.unsupported(
      (allow[0] ?? deny[0]) as Directive,
      "which callers are let in is decided by the authorization of the server or the gateway",
    );
  if (allow.length > 0 && deny.length > 0 && first !== undefined) return [];
  return deny.length > 0 ? [{ match, respond: { status: 403 } }] : [];
}

/** The rules for what a location does with calls that no condition has answered. */
export function locationRules(location: LocationSpec, match: RouteMatch, reader: RuleReader): readonly Rule[] {
  const { level, directive } = location;
  const { rules, isEnd } = answersOf(level, match, reader);
  if (isEnd || rules.at(-1)?.match === match) return rules;
  const pass = level.ownOne("proxy_pass");
  if (pass !== undefined) return [...rules, ...passRules(pass, location, match, reader)];
  const files = level.ownOne("try_files");
  const named = reader.named.get(files?.args.at(-1)?.text ?? "");
  if (files !== undefined && named !== undefined) {
    reader.report.notice(files, `no files are looked for: every request goes on to ${named.text}`);
    return [...rules, ...locationRules(named, match, reader)];
  }
  if (rules.length > 0 && level.own("root").length === 0 && level.own("alias").length === 0) return [...rules, { ...other, match }];
  throw reader.report.unsupported(
    files ?? level.ownOne("alias") ?? level.ownOne("root") ?? directive,
    "no files are served: the location has no proxy_pass and no return",
  );
}

function passRules(directive: Directive, location: LocationSpec, match: RouteMatch, reader: RuleReader): readonly Rule[] {
  const { level } = location;
  const [word, more] = directive.args;
  if (word === undefined || more !== undefined) throw faultOf(directive, "it takes one URL");
  const url = level.resolved(word.text);
  const limited = limitedMethods(level, match, reader);
  const allowed = limited === undefined ? match : limited;
  const rest: readonly Rule[] = limited === undefined ? [] : [{ match, respond: { status: 403 } }];
  const variable = piecesOf(url).find(({ name }) => name !== undefined && (reader.maps.has(name) || reader.splits.has(name)))?.name;
  if (variable === undefined) return [passRule(directive, passOf(directive, url, location, reader), location, allowed, reader), ...rest];
  const put = (value: string) => url.replaceAll(new RegExp(`\\$(?:\\{${variable}\\}|${variable}(?!\\w))`, "g"), () => value);
  const split = reader.splits.get(variable);
  if (split !== undefined) return [splitRule(directive, split, put, location, allowed, reader), ...rest];
  const map = reader.maps.get(variable) as MapSpec;
  const rules: Rule[] = [];
  for (const { test, value } of map.entries) {
    const both = bothOf(allowed, matchOf(map.directive, map.source, test, reader.report));
    if (both === undefined) throw reader.report.unsupported(map.directive, "the map is on what the server or the location decides already");
    rules.push(passRule(directive, passOf(directive, put(value), location, reader), location, both, reader));
  }
  if (map.fallback !== "")
    rules.push(passRule(directive, passOf(directive, put(map.fallback), location, reader), location, allowed, reader));
  else rules.push({ match: allowed, respond: { status: 500 } });
  return [...rules, ...rest];
}

/** `limit_except GET { deny all; }`: the calls that go on. */
function limitedMethods(level: Level, match: RouteMatch, { report }: RuleReader): RouteMatch | undefined {
  const limit = level.ownOne("limit_except");
  if (limit === undefined) return undefined;
  const inner = limit.block ?? [];
  if (inner.length !== 1 || inner[0]?.name !== "deny" || inner[0].args[0]?.text !== "all" || match.method !== undefined)
    throw report.unsupported(limit, "it is supported with deny all alone");
  const methods = limit.args.map(({ text }) => text.toUpperCase());
  return { ...match, method: methods.includes("GET") && !methods.includes("HEAD") ? [...methods, "HEAD"] : methods };
}

function passRule(directive: Directive, pass: Pass, location: LocationSpec, match: RouteMatch, reader: RuleReader): Rule {
  const options = reader.services.use(pass, location.level, directive);
  return {
    ...changesOf(directive, pass, location, match, reader),
    to: { service: pass.upstream.service },
    ...(options === undefined ? {} : { options }),
  };
}

function splitRule(
  directive: Directive,
  split: SplitSpec,
  put: (value: string) => string,
  location: LocationSpec,
  match: RouteMatch,
  reader: RuleReader,
): Rule {
  const passes = split.shares.map(({ value }) => {
    if (value === "") throw faultOf(split.directive, "a part of the clients has no value: give it one with *");
    return passOf(directive, put(value), location, reader);
  });
  const [first, ...others] = passes;
  if (first === undefined) throw faultOf(split.directive, "it has no shares");
  for (const pass of passes) reader.services.use(pass, location.level, directive);
  if (others.some((pass) => JSON.stringify(pass.rewrite) !== JSON.stringify(first.rewrite)))
    throw reader.report.unsupported(directive, "the parts of a split change the path in different ways");
  const key = /^\$\{?(http|arg|cookie)_(\w+)\}?$/.exec(split.key);
  const sticky =
    key === null
      ? {}
      : {
          sticky:
            key[1] === "http"
              ? { header: (key[2] as string).replaceAll("_", "-") }
              : key[1] === "arg"
                ? { query: key[2] as string }
                : { cookie: key[2] as string },
        };
  reader.report.notice(
    split.directive,
    key === null ? "each call is given to a part by chance" : "calls are given to parts by another hash, in the same shares",
  );
  const targets = passes.map(({ upstream }, index) => ({ service: upstream.service, weight: split.shares[index]?.weight ?? 0 }));
  return { ...changesOf(directive, first, location, match, reader), split: { targets, ...sticky } as RouteSplit };
}

/** The changes of a location to a call that it passes on. */
function changesOf(directive: Directive, pass: Pass, location: LocationSpec, match: RouteMatch, reader: RuleReader): Rule {
  const { level } = location;
  const { report } = reader;
  const sent = sentHeaders(level, pass.host, report);
  const answered = answeredHeaders(level, report);
  const method = level.one("proxy_method");
  if (method !== undefined) throw report.unsupported(method, "the method of a request stays");
  const [rewrite, second] = level
    .own("rewrite")
    .filter(({ args }) => args[2]?.text === "break" || args[2] === undefined || args[2].text === "last");
  if (second !== undefined) throw report.unsupported(second, "one rewrite is supported in a location");
  if (rewrite?.args[2]?.text === "last") throw report.unsupported(rewrite, "last looks for another location; break stays in this one");
  if (rewrite !== undefined && pass.rewrite !== undefined)
    report.notice(directive, "the path of the rewrite goes before that of proxy_pass");
  const path = rewrite === undefined ? pass.rewrite : rewriteOf(rewrite, report);
  const whole = { ...path, ...(sent.host === undefined ? {} : { host: sent.host }) };
  // A prefix is taken off the path where the match says it.
  const withPath = path?.prefix !== undefined && match.path === undefined ? { ...match, path: { begins: "/" } } : match;
  const mirrors = mirrorsOf(level, reader);
  return {
    match: withPath,
    ...(Object.keys(whole).length === 0 ? {} : { rewrite: whole }),
    ...(sent.changes === undefined ? {} : { requestHeaders: sent.changes }),
    ...(answered === undefined ? {} : { responseHeaders: answered }),
    ...(mirrors.length === 0 ? {} : { mirror: mirrors }),
  };
}

function mirrorsOf(level: Level, reader: RuleReader): readonly RouteMirror[] {
  return level.all("mirror").flatMap((directive): readonly RouteMirror[] => {
    const path = directive.args[0]?.text ?? "";
    if (path === "off") return [];
    const location = reader.exact.get(path);
    const pass = location?.level.ownOne("proxy_pass");
    if (location === undefined || pass === undefined)
      throw reader.report.unsupported(directive, `there is no location = ${path} with a proxy_pass`);
    const url = location.level.resolved(pass.args[0]?.text ?? "");
    const to = passOf(pass, url, location, reader);
    if (to.rewrite !== undefined) throw reader.report.unsupported(pass, "a copy keeps its path: proxy_pass http://name$request_uri;");
    reader.services.use(to, location.level, pass);
    reader.report.notice(directive, "copies have the headers of the calls, credentials too, and any method, as nginx has it");
    return [{ service: to.upstream.service, methods: "all", credentials: true }];
  });
}
