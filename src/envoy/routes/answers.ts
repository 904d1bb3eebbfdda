import { given, literal, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";
import { patternOf } from "./pattern.ts";

const statuses: Readonly<Record<string, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};

/** A redirect of a route. */
export function redirectOf(redirect: Part): Options {
  const scheme = redirect.text("scheme_redirect") ?? (redirect.flag("https_redirect") === true ? "https" : undefined);
  if (scheme !== undefined && scheme !== "https" && scheme !== "http")
    redirect.at("scheme_redirect")?.refuse(`RedirectAction.scheme_redirect must be http or https`);
  const pattern = redirect.at("regex_rewrite");
  const text = (name: string): string | undefined => {
    const value = redirect.text(name);
    return value === undefined || value === "" ? undefined : literal(value);
  };
  return given({
    status: statuses[redirect.text("response_code") ?? "MOVED_PERMANENTLY"],
    scheme,
    host: text("host_redirect"),
    port: redirect.number("port_redirect"),
    path: text("path_redirect"),
    prefix: text("prefix_rewrite"),
    pattern: pattern === undefined ? undefined : patternOf(pattern),
    stripQuery: redirect.flag("strip_query") === true ? true : undefined,
  });
}

/** An answer of a route. */
export function answerOf(response: Part): Options {
  const body = response.at("body");
  const filename = body?.text("filename");
  const variable = body?.text("environment_variable");
  const bytes = body?.text("inline_bytes");
  const inline = body?.text("inline_string");
  const content =
    filename !== undefined
      ? `\${file:${filename}}`
      : variable !== undefined
        ? `\${env:${variable}}`
        : literal(bytes === undefined ? (inline ?? "") : Buffer.from(bytes, "base64").toString("utf8"));
  return given({
    status: response.number("status") ?? response.refuse("DirectResponseAction.status is missing"),
    // Envoy says so of every text.
    headers: content === "" ? undefined : { "content-type": "text/plain" },
    body: content === "" ? undefined : content,
  });
}
