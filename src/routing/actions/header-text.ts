import type { MeshRequest } from "../../core/dispatch.ts";
import { answeredCaller, keepAnsweredCallers } from "../../core/peers/answered-caller.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { cookieValue } from "../matching/cookie-value.ts";
import { rawQueryValue } from "../matching/query-value.ts";

/** A request, as far as the text of a header is made from it. */
export type TextSource = Pick<MeshRequest, "service" | "method" | "path" | "headers" | "requiresTls">;

/** Makes the text of a header from a request, as the call came. */
export type TextMaker = (request: TextSource) => string;

/** The characters that a header can carry: a request has no others, but for a fault elsewhere. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Compiles a text with parts of the request in braces.
 * @throws Error for a part that does not exist, and for a brace without its other one.
 */
export function compileText(text: string): TextMaker {
  const parts = [...text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g)].map(([whole, name]): string | TextMaker => {
    if (name !== undefined) return partOf(name);
    if (whole === "{" || whole === "}") throw new Error("a brace stands alone; {{ and }} stand for braces");
    return whole === "{{" || whole === "}}" ? whole.slice(1) : whole;
  });
  return (request) => {
    const made = parts.map((part) => (typeof part === "string" ? part : part(request))).join("");
    return fieldValue.test(made) ? made : "";
  };
}

const fixed: Readonly<Record<string, TextMaker>> = {
  "client.address": () => answeredCaller()?.address ?? "",
  host: ({ headers, service }) => headers["host"] ?? service,
  scheme: ({ requiresTls }) => (requiresTls ? "https" : "http"),
  method: ({ method }) => method,
  path: ({ path }) => path.split("?", 1)[0] ?? "",
  query: ({ path }) => queryOf(path).slice(1),
  target: ({ path }) => path,
};

function partOf(name: string): TextMaker {
  const known = Object.hasOwn(fixed, name) ? fixed[name] : undefined;
  if (name === "client.address") keepAnsweredCallers();
  if (known !== undefined) return known;
  const dot = name.indexOf(".");
  const of = name.slice(dot + 1);
  const kind = name.slice(0, Math.max(dot, 0));
  if (kind === "header" && of !== "") return ({ headers }) => headers[of.toLowerCase()] ?? "";
  if (kind === "cookie" && of !== "") return ({ headers }) => cookieValue(headers["cookie"], of) ?? "";
  // Not decoded: what is encoded in it could end the line of the header.
  if (kind === "parameter" && of !== "") return ({ path }) => rawQueryValue(queryOf(path), of) ?? "";
  throw new Error(
    `there is no part ${quoted(name)}; there are ${Object.keys(fixed).join(", ")}, header.NAME, cookie.NAME and parameter.NAME`,
  );
}

function queryOf(path: string): string {
  const at = path.indexOf("?");
  return at === -1 ? "" : path.slice(at);
}
