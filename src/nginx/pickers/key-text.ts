import type { MeshRequest } from "../../core/dispatch.ts";
import { piecesOf } from "../reading/variables.ts";

type Read = (request: MeshRequest) => string;

const reads: Readonly<Record<string, Read>> = {
  request_uri: ({ path }) => path,
  uri: ({ path }) => partsOf(path)[0],
  document_uri: ({ path }) => partsOf(path)[0],
  args: ({ path }) => partsOf(path)[1],
  query_string: ({ path }) => partsOf(path)[1],
  is_args: ({ path }) => (partsOf(path)[1] === "" ? "" : "?"),
  request_method: ({ method }) => method,
  host: ({ headers, service }) => (headers["host"] ?? service).replace(/:\d+$/, "").toLowerCase(),
  http_host: ({ headers, service }) => headers["host"] ?? service,
  scheme: ({ requiresTls }) => (requiresTls ? "https" : "http"),
};

/** The names of the variables that a key may have. */
export const keyVariables: readonly string[] = [...Object.keys(reads), "http_NAME", "cookie_NAME", "arg_NAME", "remote_addr"];

/**
 * The key of a `hash`, with variables of nginx: `$request_uri`, `$http_x_user$arg_id`.
 * @param addressOf the client of the request that is being answered
 * @throws TypeError for a variable that is not known
 */
export function keyText(text: string, addressOf: () => string | undefined): Read {
  const pieces = piecesOf(text).map(({ text: plain, name }): Read => (name === undefined ? () => plain : readOf(name, addressOf)));
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  return (request) => {
    let key = "";
    for (const read of pieces) key += read(request);
    return key;
  };
}

function readOf(name: string, addressOf: () => string | undefined): Read {
  const known = Object.hasOwn(reads, name) ? reads[name] : undefined;
  if (known !== undefined) return known;
  if (name === "remote_addr" || name === "binary_remote_addr") return () => addressOf() ?? "";
  const [, kind, rest = ""] = /^(http|cookie|arg)_(\w+)$/.exec(name) ?? [];
  if (kind === "http") {
    const header = rest.toLowerCase().replaceAll("_", "-");
    return ({ headers }) => headers[header] ?? "";
  }
  if (kind === "cookie") return ({ headers }) => namedIn(headers["cookie"] ?? "", /;\s*/, rest);
  if (kind === "arg") return ({ path }) => namedIn(partsOf(path)[1], /&/, rest);
  throw new TypeError(`nginx: key has the variable $${name}; there are ${keyVariables.map((each) => `$${each}`).join(", ")}`);
}

function partsOf(path: string): readonly [path: string, query: string] {
  const at = path.indexOf("?");
  return at === -1 ? [path, ""] : [path.slice(0, at), path.slice(at + 1)];
}

/** As it stands there: nginx decodes nothing. */
function namedIn(text: string, separator: RegExp, name: string): string {
  for (const part of text.split(separator)) {
    const at = part.indexOf("=");
    if (at !== -1 && part.slice(0, at).toLowerCase() === name.toLowerCase()) return part.slice(at + 1);
  }
  return "";
}
