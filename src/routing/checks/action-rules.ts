import { refuseOption } from "../../core/settings/checks.ts";
import { type MayBeAbsent, part } from "../../core/settings/composite-rules.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { choice, custom, flag, integer, text } from "../../core/settings/rules.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import type { Replacement, RouteAnswer, RouteRedirect, RouteRewrite } from "../route.ts";
import { answerHeaders } from "./header-rules.ts";
import { checkOneOf } from "./match-rules.ts";
import { patternText, sentHost, sentPath } from "./value-rules.ts";

const replacementTable = optionTable<Replacement>()({
  pattern: patternText as OptionRule<string>,
  with: custom<string>({
    type: "string",
    default: undefined as unknown as string,
    defaultText: "must be given",
    check(option, value) {
      if (typeof value !== "string") refuseOption(option, value, "a string");
      if (!/^[\x21-\x5b\x5d-\x7e]*$/.test(value))
        throw new TypeError(`${option} may hold printable ASCII without backslash and white space only`);
    },
  }),
});

/** Every place that a pattern matches. */
const replacement: MayBeAbsent<Replacement> = part(replacementTable, (option, given) => {
  if (given.pattern === undefined || given.with === undefined) throw new TypeError(`${option} needs pattern and with`);
  const { groups } = linearRegex(given.pattern);
  // Two dollar signs are one, and no group.
  for (const [, number] of given.with.matchAll(/\$(?:\$|(\d+))/g))
    if (Number(number ?? 0) > groups) throw new RangeError(`${option}.with names the group $${number}; the pattern has ${groups}`);
});

const rewriteTable = optionTable<RouteRewrite>()({ path: sentPath, prefix: sentPath, pattern: replacement, host: sentHost });

/** Changes of the path and the host. */
export const rewriteRule: MayBeAbsent<RouteRewrite> = part(rewriteTable, (option, given) => {
  checkOneOf(option, given, ["path", "prefix", "pattern"], given.host === undefined ? 1 : 0);
});

const redirectTable = optionTable<RouteRedirect>()({
  status: custom<RouteRedirect["status"]>({
    type: "301 | 302 | 303 | 307 | 308",
    default: 301,
    check(option, value) {
      if (![301, 302, 303, 307, 308].includes(value as number)) refuseOption(option, value, "one of 301, 302, 303, 307, 308");
    },
  }),
  scheme: choice(["http", "https"]),
  host: sentHost,
  port: integer({ min: 1, max: 65_535 }),
  path: sentPath,
  prefix: sentPath,
  pattern: replacement,
  stripQuery: flag(false),
});

/** Sends the caller elsewhere. */
export const redirectRule: MayBeAbsent<RouteRedirect> = part(redirectTable, (option, given) => {
  checkOneOf(option, given, ["path", "prefix", "pattern"], 0);
  const { scheme, host, port, path, prefix, pattern, stripQuery } = given;
  if ([scheme, host, port, path, prefix, pattern].every((each) => each === undefined) && stripQuery !== true)
    throw new TypeError(`${option} leads to where the call is already: it needs scheme, host, port, path, prefix or pattern`);
  if (host?.includes(":") === true && port !== undefined && !host.endsWith("]"))
    throw new TypeError(`${option}.host has a port, and ${option}.port is another one`);
});

const answerTable = optionTable<RouteAnswer>()({
  status: integer({ min: 200, max: 599, defaultText: "must be given" }) as OptionRule<number>,
  headers: answerHeaders,
  body: text("none"),
});

/** An answer that no instance makes. */
export const answerRule: MayBeAbsent<RouteAnswer> = part(answerTable, (option, { status, body }) => {
  if (status === undefined) throw new TypeError(`${option} needs a status`);
  if (body !== undefined && (status === 204 || status === 205 || status === 304))
    throw new TypeError(`${option} has a body, which a response with status ${status} cannot have`);
});
