import { quoted } from "../../core/text/clean-text.ts";
import type { HeaderChanges } from "../../routing/route.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";
import type { Report, Unsupported } from "../reading/report.ts";
import { type RequestText, requestText } from "../reading/request-text.ts";

/** The changes of a location to the headers that instances see. */
export interface SentHeaders {
  /** The `host` header; `undefined`: that of the request. */
  readonly host: string | undefined;
  readonly changes: HeaderChanges | undefined;
}

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Those that belong to one connection: the mesh sets them itself. */
const ofConnections: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "keep-alive",
  "te",
  "transfer-encoding",
  "content-length",
  "proxy-connection",
  "expect",
]);
/** Those that the gateway sets by its own policy, by what nginx sets them to. */
const ofGateway: Readonly<Record<string, readonly string[]>> = {
  "x-forwarded-for": ["$proxy_add_x_forwarded_for", "$remote_addr"],
  "x-forwarded-proto": ["$scheme"],
  "x-forwarded-host": ["$host", "$http_host"],
};

/**
 * Reads the `proxy_set_header` that are in force. Those that only the connection has, and those that the gateway sets, are notices.
 * @param proxyHost the name behind `proxy_pass`, which is the default of `host`
 */
export function sentHeaders(level: Level, proxyHost: string, report: Report): SentHeaders {
  let host: string | undefined = proxyHost;
  const set: Record<string, RequestText> = {};
  const removed: string[] = [];
  for (const directive of level.all("proxy_set_header")) {
    const [name, given] = namedValue(directive);
    const value = level.resolved(given).replaceAll("$proxy_host", proxyHost);
    if (name === "host") {
      host = hostOf(directive, value, report);
      continue;
    }
    if (ofConnections.has(name)) {
      report.notice(directive, `${name} belongs to one connection, and the mesh sets it`);
      continue;
    }
    if (ofGateway[name]?.includes(value)) {
      report.notice(directive, `the gateway sets ${name} by its option "forwarded"`);
      continue;
    }
    if (value === "") removed.push(name);
    else if (!isSameHeader(name, value)) set[name] = textOf(directive, value, report);
  }
  const changes = { ...(removed.length === 0 ? {} : { remove: removed }), ...(Object.keys(set).length === 0 ? {} : { set }) };
  return { host, changes: Object.keys(changes).length === 0 ? undefined : (changes as HeaderChanges) };
}

/** Reads the `proxy_hide_header` and `add_header` that are in force. */
export function answeredHeaders(level: Level, report: Report): HeaderChanges | undefined {
  const hidden = level.all("proxy_hide_header").map((directive) => {
    const [word] = directive.args;
    if (word === undefined || directive.args.length > 1 || !namePattern.test(word.text))
      throw faultOf(directive, "it takes the name of a header");
    return word.text.toLowerCase();
  });
  const add: Record<string, string> = {};
  for (const directive of level.all("add_header")) {
    const always = directive.args.at(-1)?.text === "always" && directive.args.length > 2;
    const [name, given] = namedValue(directive, always ? 3 : 2);
    const value = requestText(level.resolved(given));
    if ("missing" in value || typeof value.value !== "string")
      throw report.unsupported(directive, `a header of an answer has no variables here: ${quoted(given)}`);
    if (value.value === "") continue;
    if (!always) report.notice(directive, "the header is added to answers of every status, as with always");
    add[name] = name in add ? `${add[name]}, ${value.value}` : value.value;
  }
  const changes = { ...(hidden.length === 0 ? {} : { remove: hidden }), ...(Object.keys(add).length === 0 ? {} : { add }) };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

function namedValue(directive: Directive, count = 2): readonly [name: string, value: string] {
  const [name, value] = directive.args;
  if (name === undefined || value === undefined || directive.args.length !== count)
    throw faultOf(directive, "it takes the name of a header and a value");
  if (!namePattern.test(name.text)) throw faultOf(directive, `${quoted(name.text)} is no name of a header`, name.place);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are looked for.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value.text))
    throw faultOf(directive, "the value has a control character in it", value.place);
  return [name.text.toLowerCase(), value.text];
}

function hostOf(directive: Directive, value: string, report: Report): string | undefined {
  if (["$host", "$http_host", "$host:$server_port"].includes(value)) return undefined;
  if (value.includes("$") || value === "")
    throw report.unsupported(directive, `host is a name, $host, $http_host or $proxy_host, not ${quoted(value)}`);
  return value;
}

function textOf(directive: Directive, value: string, report: Report): RequestText {
  // The gateway has added the client to what the request came with.
  const text = requestText(value.replaceAll("$proxy_add_x_forwarded_for", "$http_x_forwarded_for"));
  if ("missing" in text) throw report.unsupported(directive, `the variable $${text.missing} is not known here`) satisfies Unsupported;
  return text.value;
}

function isSameHeader(name: string, value: string): boolean {
  return value === `$http_${name.replaceAll("-", "_")}`;
}
