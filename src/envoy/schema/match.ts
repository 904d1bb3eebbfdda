import { renewHeaderMatcher, renewRouteMatch } from "../old/route.ts";
import { anyOf, flag, label, list, marker, name, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { regex, runtimeFraction, stringMatcher } from "./values.ts";

const signed = whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

/** A condition on a header, or on a part of the request line by its name in HTTP/2: `:method`. */
export const headerMatcher: Kind = message("HeaderMatcher", () => ({
  renew: renewHeaderMatcher,
  fields: {
    name,
    string_match: stringMatcher,
    range_match: message("Int64Range", () => ({ fields: { start: signed, end: signed } })),
    present_match: flag,
    invert_match: flag,
    treat_missing_header_as_empty: flag,
  },
}));

const queryMatcher = message("QueryParameterMatcher", () => ({
  fields: { name, string_match: stringMatcher, present_match: flag },
  renew(part) {
    const value = part.take("value");
    const isPattern = part.take("regex")?.value === true;
    if (value === undefined) return;
    value.notice(
      "v2",
      "QueryParameterMatcher.value",
      `in v3 it is string_match: { ${isPattern ? "safe_regex: { regex: … }" : "exact: …"} }`,
    );
    part.set("string_match", value.anew(new Map([isPattern ? ["safe_regex", value.anew(new Map([["regex", value]]))] : ["exact", value]])));
  },
}));

/** The type of the templates of paths. */
export const templateType = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";

/** The requests that a route is for. */
export const routeMatch: Kind = message("RouteMatch", () => ({
  renew: renewRouteMatch,
  fields: {
    prefix: text,
    path: text,
    safe_regex: regex,
    path_separated_prefix: name,
    path_match_policy: message("TypedExtensionConfig", () => ({
      fields: {
        name: label,
        typed_config: anyOf(() => ({ [templateType]: message("UriTemplateMatchConfig", () => ({ fields: { path_template: name } })) })),
      },
    })),
    case_sensitive: flag,
    runtime_fraction: runtimeFraction,
    headers: list(headerMatcher),
    query_parameters: list(queryMatcher),
    grpc: marker,
  },
  missing: {
    "CONNECT is no call of a service": "connect_matcher",
    "certificates of callers are judged by the server": "tls_context",
    "there are no filters that would have written it": "dynamic_metadata filter_state",
    "match the cookie header": "cookies",
  },
}));
