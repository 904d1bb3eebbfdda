import { pathFault } from "../../core/http/path-fault.ts";
import { headerFault } from "../../core/http/request-headers.ts";
import { checkText } from "../../core/settings/checks.ts";
import type { MayBeAbsent } from "../../core/settings/composite-rules.ts";
import { custom } from "../../core/settings/rules.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import { versionRange } from "../matching/version-range.ts";

/** The rule of a text that `find` has no fault in. */
export function textWithout(find: (text: string) => string | undefined): MayBeAbsent<string> {
  return custom<string | undefined>({
    type: "string",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      checkText(option, value ?? null);
      refuseFault(option, value as string, find(value as string));
    },
  });
}

/** Throws where there is a fault, with the value before it. */
export function refuseFault(option: string, value: string, fault: string | undefined): void {
  if (fault !== undefined) throw new TypeError(`${option} ${quoted(value)} ${fault}`);
}

/** The message of what `compile` throws; `undefined` where it throws nothing. */
export function faultOf(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    return `is refused: ${(error as Error).message}`;
  }
}

/** A linear pattern. */
export const patternText: MayBeAbsent<string> = textWithout((text) => faultOf(() => linearRegex(text)));

/** A range of semver. */
export const rangeText: MayBeAbsent<string> = textWithout((text) => faultOf(() => versionRange(text)));

/** A path that is matched, without query. */
export const matchedPath: MayBeAbsent<string> = textWithout((text) => {
  if (!text.startsWith("/")) return "does not begin with a slash";
  if (/[?#]/.test(text)) return "has a query or a fragment, which paths are matched without";
  const fault = pathFault(text);
  return fault === undefined ? undefined : `is the path of no call: ${fault}`;
});

/** A path that is sent, perhaps with a query; names in braces stand for parts of a template. */
export const sentPath: MayBeAbsent<string> = textWithout((text) => {
  if (!text.startsWith("/") || text.startsWith("//")) return "does not begin with one slash";
  if (text.includes("#")) return "has a fragment, which is not sent";
  const fault = pathFault(text.replaceAll(/[{}]/g, ""));
  return fault === undefined ? undefined : `is no path that is sent: ${fault}`;
});

const hostForm = /^(?:\*|(?:\*\.)?[\w-]+(?:\.[\w-]+)*(?:\.\*)?|\[[\da-fA-F:.]+\])$/;

/** A host of a match: a name, `*.shop.example`, `shop.*`, `*`. */
export const matchedHost: MayBeAbsent<string> = textWithout((text) =>
  hostForm.test(text) && !(text.startsWith("*.") && text.endsWith(".*"))
    ? undefined
    : "is no host: shop.example, *.shop.example, shop.* or *, without port",
);

/** A host that is sent, perhaps with a port. */
export const sentHost: MayBeAbsent<string> = textWithout((text) =>
  /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/.test(text) ? undefined : "is no host",
);

/** A method, in upper case where it is a standard one. */
export const methodName: MayBeAbsent<string> = textWithout((text) => {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) return "is no method";
  const upper = text.toUpperCase();
  return text !== upper && standardMethods.has(upper) ? `is written ${upper}` : undefined;
});

const standardMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "QUERY",
  "TRACE",
  "CONNECT",
]);

/** Refuses the name of a header that is none, or that no call has by then. */
export function checkMatchedHeader(option: string, name: string): void {
  const fault = name.toLowerCase() === "host" ? undefined : headerFault(name);
  if (fault !== undefined) throw new TypeError(`${option}: ${quoted(name)} ${fault}: no call has it here`);
}

/** Refuses the name of a header that a rule may not set. */
export function checkSetHeader(option: string, name: string): void {
  const fault = headerFault(name);
  if (fault !== undefined)
    throw new TypeError(`${option}: ${quoted(name)} ${fault}${name.toLowerCase() === "host" ? "; it is rewrite.host" : ""}`);
}

/** The name of a header that is matched. */
export const matchedHeader: MayBeAbsent<string> = custom<string | undefined>({
  type: "string",
  default: undefined,
  check(option, value) {
    checkText(option, value ?? null);
    checkMatchedHeader(option, value as string);
  },
});
