import { piecesOf } from "./variables.ts";

/** A text of a request: known at once, or with `{…}` for what only the request knows. */
export type RequestText = string | { readonly text: string };

const places: Readonly<Record<string, string>> = {
  remote_addr: "{client.address}",
  realip_remote_addr: "{client.address}",
  binary_remote_addr: "{client.address}",
  host: "{host}",
  scheme: "{scheme}",
  request_method: "{method}",
  request_uri: "{target}",
  uri: "{path}",
  document_uri: "{path}",
  args: "{query}",
  query_string: "{query}",
  request_id: "{header.x-request-id}",
};

/** The place of a variable of nginx in a {@link RequestText}; `undefined` for one that has none. */
export function placeOf(name: string): string | undefined {
  const known = places[name];
  if (known !== undefined) return known;
  const [, kind, rest = ""] = /^(http|cookie|arg)_(\w+)$/.exec(name) ?? [];
  if (kind === "http") return `{header.${rest.toLowerCase().replaceAll("_", "-")}}`;
  if (kind === "cookie") return `{cookie.${rest}}`;
  return kind === "arg" ? `{parameter.${rest}}` : undefined;
}

/** A text of nginx as one of a request. Returns the name of the first variable that has no place as `missing`. */
export function requestText(text: string): { readonly value: RequestText } | { readonly missing: string } {
  let result = "";
  let isPlain = true;
  for (const { text: plain, name } of piecesOf(text)) {
    if (name === undefined) {
      result += plain.replaceAll("{", "{{").replaceAll("}", "}}");
      continue;
    }
    const place = placeOf(name);
    if (place === undefined) return { missing: name };
    isPlain = false;
    result += place;
  }
  return { value: isPlain ? text : { text: result } };
}
