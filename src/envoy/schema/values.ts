import { choice, duration, flag, list, mapOf, name, real, settled, struct, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";

const oneMachine = "it is a setting of sockets, which belongs to the operating system here";

export const address: Kind = message("Address", () => ({
  fields: { socket_address: socketAddress, pipe: message("Pipe", () => ({ fields: { path: name }, nothing: { [oneMachine]: "mode" } })) },
  missing: { "listeners inside of Envoy do not exist here": "envoy_internal_address" },
}));

const socketAddress = message("SocketAddress", () => ({
  fields: { address: name, port_value: whole(0, 65_535), protocol: settled(["TCP"]) },
  nothing: { [oneMachine]: "ipv4_compat" },
  missing: {
    "ports have no names": "named_port",
    "names are resolved by DNS alone": "resolver_name",
    "the process is in one network": "network_namespace_filepath",
  },
}));

/** Where a text comes from. */
export const dataSource: Kind = message("DataSource", () => ({
  fields: { filename: name, inline_bytes: text, inline_string: text, environment_variable: name },
  nothing: { "files are followed by themselves": "watched_directory" },
}));

export const pathSource: Kind = message("PathConfigSource", () => ({
  fields: { path: name },
  nothing: { "the file is read when the file that names it is": "watched_directory poll_interval" },
}));

/** Where resources come from: of what Envoy knows, a file. */
export const configSource: Kind = message("ConfigSource", () => ({
  fields: { path_config_source: pathSource },
  nothing: { "there is one version here": "resource_api_version initial_fetch_timeout" },
  missing: { "resources come from files here, and not from a control plane": "api_config_source ads self authorities" },
  renew(part) {
    const path = part.take("path");
    if (path === undefined) return;
    path.notice("v2", "ConfigSource.path", "in v3 it is path_config_source: { path: … }");
    part.set("path_config_source", path.anew(new Map([["path", path]])));
  },
}));

export const regex: Kind = message("RegexMatcher", () => ({
  fields: { regex: name },
  nothing: { "all patterns are linear": "google_re2" },
}));

export const stringMatcher: Kind = message("StringMatcher", () => ({
  fields: { exact: text, prefix: name, suffix: name, contains: name, safe_regex: regex, ignore_case: flag },
  missing: { "only code could make it": "custom" },
  renew(part) {
    const old = part.take("regex");
    if (old === undefined) return;
    old.notice("v2", "StringMatcher.regex", "in v3 it is safe_regex: { regex: … }");
    part.set("safe_regex", old.anew(new Map([["regex", old]])));
  },
}));

export const regexRewrite: Kind = message("RegexMatchAndSubstitute", () => ({ fields: { pattern: regex, substitution: text } }));

export const percent: Kind = message("Percent", () => ({ fields: { value: real } }));

const fraction = message("FractionalPercent", () => ({
  fields: { numerator: whole(), denominator: choice(["HUNDRED", "TEN_THOUSAND", "MILLION"]) },
}));

export const fractionalPercent: Kind = fraction;

/** A share that Envoy's runtime may change; here it is its default. */
export const runtimeFraction: Kind = message("RuntimeFractionalPercent", () => ({
  fields: { default_value: fraction },
  nothing: { "there is no runtime that changes values; the default counts": "runtime_key" },
}));

const header = message("HeaderValue", () => ({
  fields: { key: name, value: text },
  missing: { "headers have texts": "raw_value" },
}));

/** A header that is added. */
export const headerOption: Kind = message("HeaderValueOption", () => ({
  fields: {
    header,
    append_action: choice(["APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS"]),
    keep_empty_value: flag,
  },
  renew(part) {
    const append = part.take("append");
    if (append === undefined) return;
    const appends = append.value !== false && append.value !== "false";
    const action = appends ? "APPEND_IF_EXISTS_OR_ADD" : "OVERWRITE_IF_EXISTS_OR_ADD";
    append.notice("v2", "HeaderValueOption.append", `in v3 it is append_action: ${action}`);
    if (part.at("append_action") === undefined) part.set("append_action", append.anew(action));
  },
}));

/** The four fields by which configuration, virtual host, route and weighted cluster change headers. */
export const headerChanges: Readonly<Record<string, Kind>> = {
  request_headers_to_add: list(headerOption),
  request_headers_to_remove: list(name),
  response_headers_to_add: list(headerOption),
  response_headers_to_remove: list(name),
};

/** Why changes of headers may have no use. */
export const headerChangesUnread: Readonly<Record<string, string>> = {
  "no request is sent by the routes that it is for": Object.keys(headerChanges).join(" "),
};

/** Facts about an endpoint, or wanted of one, by the names of the filters that they are for. */
export const metadata: Kind = message("Metadata", () => ({
  fields: { filter_metadata: mapOf(struct) },
  unread: { "metadata are read of envoy.lb, and where the cluster has a lb_subset_config": "filter_metadata" },
  nothing: { "no part of the mesh reads it": "typed_filter_metadata" },
}));

export const locality: Kind = message("Locality", () => ({
  fields: { region: text, zone: text },
  nothing: { "instances have a region and a zone": "sub_zone" },
  unread: { "the zone of the process counts beside a cluster_manager.local_cluster_name, its region never": "region zone" },
}));

export const backOff: Kind = message("RetryBackOff", () => ({ fields: { base_interval: duration, max_interval: duration } }));

/** The status of an answer, by its number. */
export const httpStatus: Kind = whole(200, 599);
