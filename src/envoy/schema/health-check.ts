import { duration, list, name, settled, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";

const statusRange = message("Int64Range", () => ({ fields: { start: whole(100, 600), end: whole(100, 600) } }));
const ownPace = "every check has one interval";

/** Active checks. */
export const healthCheck: Kind = message("HealthCheck", () => ({
  fields: {
    timeout: duration,
    interval: duration,
    interval_jitter: duration,
    interval_jitter_percent: whole(),
    unhealthy_threshold: whole(1),
    healthy_threshold: whole(1),
    http_health_check: message("HttpHealthCheck", () => ({
      fields: {
        path: name,
        expected_statuses: list(statusRange),
        method: settled(["METHOD_UNSPECIFIED", "GET"]),
      },
      differs: { "a check is sent by the protocol of the service": "codec_client_type" },
      nothing: { "a check is sent as a call is": "host response_buffer_size" },
      missing: {
        "a check is judged by its status": "send receive service_name_matcher",
        "a check has no headers of its own": "request_headers_to_add request_headers_to_remove",
        "one threshold counts": "retriable_statuses",
      },
      renew(part) {
        const old = part.take("use_http2");
        old?.notice("v2", "HttpHealthCheck.use_http2", "in v3 it is codec_client_type: HTTP2");
        if (old !== undefined) part.set("codec_client_type", old.anew(old.value === true ? "HTTP2" : "HTTP1"));
      },
    })),
    tcp_health_check: message("TcpHealthCheck", () => ({
      fields: {},
      missing: { "a connection alone is checked": "send receive proxy_protocol_config" },
    })),
    grpc_health_check: message("GrpcHealthCheck", () => ({
      fields: { service_name: text },
      missing: { "a check is sent as a call is": "authority initial_metadata" },
    })),
  },
  differs: {
    [ownPace]:
      "initial_jitter no_traffic_interval no_traffic_healthy_interval unhealthy_interval unhealthy_edge_interval healthy_edge_interval",
    "connections of checks are inmesh's own": "reuse_connection",
  },
  nothing: {
    "what changes is told to the mesh's observers":
      "event_log_path event_logger event_service always_log_health_check_failures always_log_health_check_success",
  },
  missing: {
    "instances are checked at the address that serves": "alt_port",
    "a check speaks as calls do": "tls_options transport_socket_match_criteria",
    "checks are by HTTP, TCP or gRPC": "custom_health_check",
  },
}));
