import { renewRouteAction, renewVirtualHost } from "../old/route.ts";
import { anyOf, choice, duration, flag, inert, label, list, marker, name, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { perRouteFilters } from "./http-filters.ts";
import { headerMatcher, routeMatch } from "./match.ts";
import { backOff, dataSource, headerChanges, headerChangesUnread, httpStatus, metadata, regexRewrite, runtimeFraction } from "./values.ts";

const ownTraces = "traces and figures are those of the mesh's observers";
const ofFilters = "no filter before the routes has it, or what is nearer to the route goes before it";
const ofRoutes = "each route has one of its own, or sends no request";
const rateService = "there is no service of rates";

const hostPredicates = "envoy.extensions.retry.host.";

/** Retries of a route or of a virtual host. */
export const retryPolicy: Kind = message("RetryPolicy", () => ({
  fields: {
    retry_on: text,
    num_retries: whole(),
    per_try_timeout: duration,
    retriable_status_codes: list(whole(100, 599)),
    retry_back_off: backOff,
    retry_host_predicate: list(
      message("RetryHostPredicate", () => ({
        fields: {
          name: label,
          typed_config: anyOf(() => ({
            [`${hostPredicates}previous_hosts.v3.PreviousHostsPredicate`]: inert(marker),
            [`${hostPredicates}omit_canary_hosts.v3.OmitCanaryHostsPredicate`]: (part, field) =>
              part.refuse(`${field}: instances are not marked as canaries; use a subset`),
          })),
        },
        renew(part) {
          if (part.text("name") !== "envoy.retry_host_predicates.previous_hosts" || part.at("typed_config") !== undefined) return;
          const type = `type.googleapis.com/${hostPredicates}previous_hosts.v3.PreviousHostsPredicate`;
          part.notice("v2", "RetryHostPredicate", `in v3 it has a typed_config: { "@type": ${type} }`);
          part.take("config");
          part.set("typed_config", part.madeOf({ "@type": type }));
        },
      })),
    ),
    host_selection_retry_max_attempts: whole(),
    retriable_headers: list(headerMatcher),
    retriable_request_headers: list(headerMatcher),
  },
  unread: {
    "retry_on does not have retriable-status-codes, as in Envoy": "retriable_status_codes",
    "nothing is repeated by the policy, or retry_host_predicate says it":
      "retry_on num_retries per_try_timeout retry_back_off retry_host_predicate host_selection_retry_max_attempts retriable_headers retriable_request_headers",
  },
  missing: {
    "an attempt is bounded up to its head": "per_try_idle_timeout",
    "priorities of instances are the same for each attempt": "retry_priority retry_options_predicates",
    "pauses grow by themselves": "rate_limited_retry_back_off",
    "discovery is asked again by itself": "refresh_cluster_on_retry",
  },
}));

const hashPolicy = message("HashPolicy", () => ({
  fields: {
    header: message("Header", () => ({
      fields: { header_name: name },
      missing: { "the value is hashed as it came": "regex_rewrite" },
    })),
    cookie: message("Cookie", () => ({
      fields: { name, ttl: duration },
      nothing: { "no cookie is set": "path" },
      missing: { "cookies are not set": "attributes" },
    })),
    query_parameter: message("QueryParameter", () => ({ fields: { name } })),
    connection_properties: message("ConnectionProperties", () => ({ fields: { source_ip: flag } })),
    terminal: flag,
  },
  unread: { "it is the last policy": "terminal" },
  missing: { "there are no filters that would have written it": "filter_state" },
}));

const mirrorPolicy = message("RequestMirrorPolicy", () => ({
  fields: { cluster: name, runtime_fraction: runtimeFraction },
  nothing: { "the host of a copy is never changed": "disable_shadow_host_suffix_append", [ownTraces]: "trace_sampled" },
  missing: { "a copy goes to one service": "cluster_header", "a copy is as the call": "request_headers_mutations host_rewrite_literal" },
}));

/** Copies of requests. */
export const mirrorPolicies: Kind = list(mirrorPolicy);

const weightedCluster = message("WeightedCluster", () => ({
  fields: {
    clusters: list(
      message("ClusterWeight", () => ({
        fields: {
          name,
          weight: whole(),
          metadata_match: metadata,
          ...headerChanges,
          host_rewrite_literal: text,
          typed_per_filter_config: perRouteFilters,
        },
        unread: { "the cluster has no lb_subset_config, so that it has no effect, as in Envoy": "metadata_match" },
        missing: { "a target has a name": "cluster_header" },
      })),
    ),
    total_weight: whole(1),
    use_hash_policy: flag,
  },
  nothing: { "there is no runtime that changes values; the default counts": "runtime_key_prefix" },
  missing: { "the choice is made by chance": "header_name" },
}));

const templateRewrite = "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig";

const routeAction = message("RouteAction", () => ({
  renew: renewRouteAction,
  fields: {
    cluster: name,
    cluster_header: name,
    weighted_clusters: weightedCluster,
    metadata_match: metadata,
    prefix_rewrite: text,
    regex_rewrite: regexRewrite,
    path_rewrite_policy: message("TypedExtensionConfig", () => ({
      fields: {
        name: label,
        typed_config: anyOf(() => ({
          [templateRewrite]: message("UriTemplateRewriteConfig", () => ({ fields: { path_template_rewrite: name } })),
        })),
      },
    })),
    host_rewrite_literal: name,
    auto_host_rewrite: flag,
    timeout: duration,
    idle_timeout: duration,
    retry_policy: retryPolicy,
    request_mirror_policies: mirrorPolicies,
    priority: choice(["DEFAULT", "HIGH"]),
    hash_policy: list(hashPolicy),
    cluster_not_found_response_code: choice(["SERVICE_UNAVAILABLE", "NOT_FOUND", "INTERNAL_SERVER_ERROR"]),
    max_stream_duration: message("MaxStreamDuration", () => ({
      fields: { max_stream_duration: duration },
      nothing: { "deadlines of callers are continued by x-mesh-deadline-ms": "grpc_timeout_header_max grpc_timeout_header_offset" },
    })),
    hedge_policy: message("HedgePolicy", () => ({
      fields: { hedge_on_per_try_timeout: flag },
      missing: { "a hedge is sent by latency, as an option of the service": "initial_requests additional_request_chance" },
    })),
  },
  unread: {
    "the cluster has no lb_subset_config, so that it has no effect, as in Envoy": "metadata_match",
    "without cluster_header each cluster is one of the file": "cluster_not_found_response_code",
  },
  differs: { "upgrades of every kind are carried, where a call asks for one": "upgrade_configs" },
  nothing: {
    "early data are never used": "early_data_policy",
    "deadlines of callers are continued by x-mesh-deadline-ms": "max_grpc_timeout grpc_timeout_offset",
    "bodies have the time limit of the call": "flush_timeout",
  },
  missing: {
    [rateService]: "rate_limits include_vh_rate_limits",
    "only code could choose a service so": "cluster_specifier_plugin inline_cluster_specifier_plugin",
    "a path is changed by prefix, pattern or template": "path_rewrite",
    "the host is a fixed one": "host_rewrite_header host_rewrite_path_regex append_x_forwarded_host",
    "retries are retry_policy": "retry_policy_typed_config",
    "redirects are for the caller": "internal_redirect_policy internal_redirect_action max_internal_redirects",
    "rules of browsers are those of the gateway": "cors",
  },
}));

const redirect = message("RedirectAction", () => ({
  fields: {
    https_redirect: flag,
    scheme_redirect: text,
    host_redirect: text,
    port_redirect: whole(1, 65_535),
    path_redirect: text,
    prefix_rewrite: text,
    regex_rewrite: regexRewrite,
    strip_query: flag,
    response_code: choice(["MOVED_PERMANENTLY", "FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"]),
  },
  missing: { "a location is made of parts": "path_rewrite" },
}));

const directResponse = message("DirectResponseAction", () => ({
  fields: { status: httpStatus, body: dataSource },
  missing: { "a body is a text": "body_format" },
}));

const route: Kind = message("Route", () => ({
  fields: {
    name: text,
    match: routeMatch,
    route: routeAction,
    redirect,
    direct_response: directResponse,
    ...headerChanges,
    typed_per_filter_config: perRouteFilters,
  },
  unread: { ...headerChangesUnread, [ofFilters]: "typed_per_filter_config" },
  nothing: {
    [ownTraces]: "decorator tracing stat_prefix metadata",
    "bodies are streamed": "per_request_buffer_limit_bytes request_body_buffer_limit",
  },
  missing: {
    "a rule sends, redirects or answers": "filter_action non_forwarding_action",
  },
}));

const virtualHost: Kind = message("VirtualHost", () => ({
  renew: renewVirtualHost,
  fields: {
    name,
    domains: list(name),
    routes: list(route),
    require_tls: choice(["NONE", "EXTERNAL_ONLY", "ALL"]),
    ...headerChanges,
    typed_per_filter_config: perRouteFilters,
    retry_policy: retryPolicy,
    request_mirror_policies: mirrorPolicies,
  },
  differs: { "a retry is marked by x-mesh-attempt": "include_request_attempt_count" },
  unread: {
    ...headerChangesUnread,
    [ofFilters]: "typed_per_filter_config",
    [ofRoutes]: "retry_policy request_mirror_policies",
    "the virtual host has no routes": "name",
  },
  nothing: { [ownTraces]: "virtual_clusters metadata", "bodies are streamed": "per_request_buffer_limit_bytes request_body_buffer_limit" },
  missing: {
    [rateService]: "rate_limits",
    "rules are matched in their order": "matcher",
    "attempts are told to observers": "include_attempt_count_in_response include_is_timeout_retry_header",
    "retries are retry_policy": "retry_policy_typed_config",
    "a hedge is an option of the service": "hedge_policy",
    "rules of browsers are those of the gateway": "cors",
  },
}));

/** A table of routes. */
export const routeConfiguration: Kind = message("RouteConfiguration", () => ({
  fields: {
    name: label,
    virtual_hosts: list(virtualHost),
    ...headerChanges,
    most_specific_header_mutations_wins: flag,
    request_mirror_policies: mirrorPolicies,
    typed_per_filter_config: perRouteFilters,
  },
  unread: {
    ...headerChangesUnread,
    [ofFilters]: "typed_per_filter_config",
    [ofRoutes]: "request_mirror_policies",
    "there are no routes": "most_specific_header_mutations_wins",
  },
  nothing: {
    "ports of hosts are never compared": "ignore_port_in_host_matching",
    "each cluster must be one of the file": "validate_clusters",
    [ownTraces]: "metadata",
    "answers are as long as they are written": "max_direct_response_body_size_bytes",
  },
  missing: {
    "virtual hosts are those of the file": "vhds",
    "there is no edge that knows what is internal": "internal_only_headers",
    "only code could choose a service so": "cluster_specifier_plugins",
    "a virtual host is chosen by the host": "vhost_header",
    "paths are matched as they came": "ignore_path_parameters_in_path_matching",
  },
}));
