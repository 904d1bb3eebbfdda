import { anyOf, duration, inert, label, list, mapOf, marker, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";

const ownConnections = "connections are inmesh's own, with its own flow control";

/** Settings for connections of each version of HTTP. */
export const commonHttp: Kind = message("HttpProtocolOptions", () => ({
  fields: { idle_timeout: duration, max_connection_duration: duration, max_requests_per_connection: whole() },
  nothing: {
    [ownConnections]: "max_headers_count max_response_headers_kb headers_with_underscores_action max_connection_duration_jitter",
  },
  missing: { "the time of a call is bounded by the timeout of its route": "max_stream_duration" },
}));

export const http1: Kind = message("Http1ProtocolOptions", () => ({
  fields: {},
  nothing: {
    [ownConnections]:
      "allow_absolute_url accept_http_10 default_host_for_http_10 enable_trailers allow_chunked_length override_stream_error_on_invalid_http_message use_balsa_parser allow_custom_methods ignore_http_11_upgrade",
  },
  missing: { "headers go out as they are written": "header_key_format", "requests have a path": "send_fully_qualified_url" },
}));

export const http2: Kind = message("Http2ProtocolOptions", () => ({
  fields: {},
  nothing: {
    [ownConnections]:
      "hpack_table_size max_concurrent_streams initial_stream_window_size initial_connection_window_size allow_connect allow_metadata max_outbound_frames max_outbound_control_frames max_consecutive_inbound_frames_with_empty_payload max_inbound_priority_frames_per_stream max_inbound_window_update_frames_per_data_frame_sent stream_error_on_invalid_http_messaging override_stream_error_on_invalid_http_message custom_settings_parameters connection_keepalive use_oghttp2_codec max_metadata_size enable_huffman_encoding max_header_field_size_kb disallow_obs_text stream_reset_burst stream_reset_rate",
  },
}));

const http3 = { "there is no HTTP/3": "http3_protocol_options" };

/** The type of the options of HTTP of a cluster, and their key. */
export const httpOptionsType = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

const upstreamHttp = message("UpstreamHttpProtocolOptions", () => ({
  fields: {},
  differs: {
    "the name of a handshake is that of the file (sni), or of the service; certificates are always verified":
      "auto_sni auto_san_validation",
  },
  missing: { "the name of a handshake is that of the service": "override_auto_sni_header" },
}));

const httpOptions = message("HttpProtocolOptions", () => ({
  fields: {
    common_http_protocol_options: commonHttp,
    upstream_http_protocol_options: upstreamHttp,
    explicit_http_config: message("ExplicitHttpConfig", () => ({
      fields: { http_protocol_options: inert(http1), http2_protocol_options: http2 },
      missing: http3,
    })),
    auto_config: message("AutoHttpConfig", () => ({
      fields: { http_protocol_options: inert(http1), http2_protocol_options: inert(http2) },
      missing: { "there is no HTTP/3": "http3_protocol_options", "it is for HTTP/3": "alternate_protocols_cache_options" },
    })),
    use_downstream_protocol_config: message("UseDownstreamHttpConfig", () => ({
      fields: { http_protocol_options: inert(http1), http2_protocol_options: inert(http2) },
      missing: http3,
    })),
    http_filters: inert(list(upstreamFilter)),
  },
  nothing: { "messages are checked in one way": "header_validation_config" },
  missing: {
    "it is a setting of the cluster and of its routes": "outlier_detection error_matcher request_mirror_policies hash_policy retry_policy",
  },
}));

/** The one filter of a cluster that changes nothing. */
const upstreamFilter: Kind = message("HttpFilter", () => ({
  fields: {
    name: label,
    typed_config: anyOf(() => ({ "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec": marker })),
  },
}));

/** Options of extensions of a cluster, by their names. */
export const extensionOptions: Kind = mapOf(anyOf(() => ({ [httpOptionsType]: httpOptions })));
