import { renewFilterChain, renewManager, renewNetworkFilter } from "../old/listener.ts";
import { renamedTypes } from "../old/renamed-types.ts";
import { anyOf, label, list, text } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { httpFilter } from "./http-filters.ts";
import { routeConfiguration } from "./route.ts";
import { listenerSocket } from "./tls.ts";
import { address, configSource } from "./values.ts";

/** The type of the filter that serves HTTP. */
export const managerType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

const sockets = "it is a setting of sockets, which are the gateway's";
const ofGateway = "requests come from this process, or by the gateway, which has options of its own for it";
const observing = "the log, figures and traces are those of the mesh and of the serving side";

const manager: Kind = message("HttpConnectionManager", () => ({
  renew: renewManager,
  fields: {
    stat_prefix: label,
    route_config: routeConfiguration,
    rds: message("Rds", () => ({ fields: { route_config_name: text, config_source: configSource } })),
    http_filters: list(httpFilter),
  },
  differs: { "a body without a byte is bounded by bodyIdleTimeoutMs of the service": "stream_idle_timeout" },
  nothing: {
    [observing]:
      "access_log access_log_flush_interval flush_access_log_on_new_request access_log_options tracing record_route_resolution_stats proxy_status_config",
    "ports of hosts are not compared": "strip_any_host_port strip_matching_host_port",
    [ofGateway]:
      "codec_type common_http_protocol_options http1_safe_max_connection_duration http_protocol_options http2_protocol_options http3_protocol_options server_name server_header_transformation scheme_header_transformation max_request_headers_kb stream_flush_timeout request_timeout request_headers_timeout drain_timeout drain_timeout_jitter delayed_close_timeout use_remote_address xff_num_trusted_hops original_ip_detection_extensions internal_address_config skip_xff_append via generate_request_id preserve_external_request_id always_set_request_id_in_response forward_client_cert_details set_current_client_cert_details forward_client_cert_matcher proxy_100_continue represent_ipv4_remote_address_as_ipv4_mapped_ipv6 request_id_extension stream_error_on_invalid_http_message typed_header_validation_config append_x_forwarded_port append_local_overload add_proxy_protocol_connection_state add_user_agent upgrade_configs strip_trailing_host_dot",
    "paths with dot segments, `//` and encoded slashes are refused, or passed on byte by byte":
      "normalize_path merge_slashes path_with_escaped_slashes_action path_normalization_options",
  },
  missing: {
    "there is one table of routes": "scoped_routes",
    "headers are changed by routes": "early_header_mutation_extensions",
    "answers of the mesh are its own": "local_reply_config",
    "the target of a call is a service": "forward_proto_config",
  },
}));

const filter: Kind = message("Filter", () => ({
  renew: renewNetworkFilter,
  fields: { name: label, typed_config: anyOf(() => networkFilters, renamedTypes) },
  missing: { "filters stand in the file": "config_discovery" },
}));

const networkPrefix = "envoy.extensions.filters.network.";
const networkFilters: Readonly<Record<string, Kind>> = {
  [managerType]: manager,
  [`${networkPrefix}tcp_proxy.v3.TcpProxy`]: (part, field) =>
    part.refuse(`${field}: connections of TCP are not proxied; the mesh carries HTTP`),
};

const filterChain: Kind = message("FilterChain", () => ({
  renew: renewFilterChain,
  fields: { name: label, filters: list(filter), transport_socket: listenerSocket },
  unread: { "a call has no connection: TLS towards callers is the gateway's": "transport_socket", "the chain has no routes": "filters" },
  differs: { "a call has no connection that could match; the routes of the chain count for all": "filter_chain_match" },
  nothing: { [sockets]: "transport_socket_connect_timeout use_proxy_proto metadata" },
}));

/** A listener, of which the routes count here. */
export const listener: Kind = message("Listener", () => ({
  fields: {
    name: label,
    address,
    filter_chains: list(filterChain),
    default_filter_chain: filterChain,
    api_listener: message("ApiListener", () => ({ fields: { api_listener: anyOf(() => ({ [managerType]: manager }), renamedTypes) } })),
  },
  unread: { "the listener serves no HTTP, or the routes of another count": "address filter_chains default_filter_chain" },
  nothing: {
    "a call has no connection that could be looked at": "listener_filters internal_listener",
    [sockets]:
      "additional_addresses per_connection_buffer_limit_bytes per_connection_buffer_high_watermark_timeout metadata deprecated_v1 drain_type listener_filters_timeout continue_on_listener_filters_timeout transparent freebind socket_options tcp_fast_open_queue_length traffic_direction connection_balance_config reuse_port enable_reuse_port tcp_backlog_size max_connections_to_accept_per_socket_event bind_to_port enable_mptcp ignore_global_conn_limit bypass_overload_manager tcp_keepalive use_original_dst",
    [observing]: "stat_prefix stats_matcher access_log",
  },
  missing: {
    "there is no HTTP/3": "udp_listener_config",
    "chains stand in the file": "fcds_config",
    "chains are tried in their order": "filter_chain_matcher",
  },
}));
