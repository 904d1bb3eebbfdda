import { quoted } from "../../core/text/clean-text.ts";
import type { RouteAnswer, RouteRedirect } from "../../routing/route.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";
import type { Report } from "../reading/report.ts";
import { hasVariable } from "../reading/variables.ts";

/** An answer that no instance makes. */
export type MadeAnswer = { readonly redirect: RouteRedirect } | { readonly respond: RouteAnswer };

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Reads `return CODE`, `return CODE TEXT` and `return URL`. */
export function answerOf(directive: Directive, level: Level, report: Report): MadeAnswer {
  const [first, second, more] = directive.args;
  if (first === undefined || more !== undefined) throw faultOf(directive, "it takes a status, maybe with a text, or a URL");
  const isUrl = second === undefined && !/^\d+$/.test(first.text);
  const status = isUrl ? 302 : Number(first.text);
  if (!(Number.isInteger(status) && status >= 0 && status <= 999))
    throw faultOf(directive, `${quoted(first.text)} is no status`, first.place);
  if (status === 444 || status < 200)
    throw report.unsupported(directive, `${status} ends the connection, which a route cannot`, first.place);
  if (status > 599) throw report.unsupported(directive, `there is no status ${status}`, first.place);
  const text = level.resolved((isUrl ? first : second)?.text ?? "");
  if (redirects.has(status)) return { redirect: redirectTo(directive, status as 301, text, report) };
  if (hasVariable(text)) throw report.unsupported(directive, `the text has variables: ${quoted(text)}`, second?.place);
  if (text === "") return { respond: { status } };
  const type = level.one("default_type")?.args[0]?.text ?? "text/plain";
  return { respond: { status, headers: { "content-type": type }, body: text } };
}

/** The redirect to a URL with variables of the request. */
export function redirectTo(directive: Directive, status: 301 | 302 | 303 | 307 | 308, url: string, report: Report): RouteRedirect {
  const fault = (problem: string) => report.unsupported(directive, `${problem}: ${quoted(url)}`);
  const [, scheme, host, port, rest = ""] = /^(?:(https?|\$scheme):\/\/([^/:?$]+|\$\{?\w+\}?)(?::(\d+))?)?(.*)$/.exec(url) ?? [];
  if (scheme === undefined && !rest.startsWith("/") && !rest.startsWith("$")) throw fault("it is no URL and no path");
  const isAsked = host === undefined || /^\$\{?(?:host|http_host|server_name)\}?$/.test(host);
  if (!isAsked && host.includes("$")) throw fault("the host has a variable");
  const [path, keepsQuery] = withoutTarget(rest);
  if (hasVariable(path)) throw fault("the path has variables other than $request_uri");
  const isWhole = keepsQuery && path === "";
  return {
    status,
    ...(scheme === undefined || scheme === "$scheme" ? {} : { scheme: scheme as "http" | "https" }),
    ...(isAsked ? {} : { host }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(isWhole
      ? {}
      : keepsQuery
        ? { pattern: { pattern: "^(.*)$", with: `${path.replaceAll("$", "$$$$")}$1` } }
        : { path: path === "" ? "/" : path, stripQuery: true }),
  };
}

/** The path in front of the part that came, and whether that follows. */
function withoutTarget(rest: string): readonly [path: string, keeps: boolean] {
  const [, path = rest, target] =
    /^(.*?)(\$(?:\{request_uri\}|request_uri|uri\$is_args\$(?:args|query_string)|uri\?\$args|uri))?$/.exec(rest) ?? [];
  return [path, target !== undefined];
}
