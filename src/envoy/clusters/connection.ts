import { httpOptionsType } from "../schema/protocol.ts";
import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** How a cluster is spoken to. */
export interface Connection {
  readonly protocol: "h1" | "h2" | "auto";
  readonly connections: Options;
}

/** Protocol and connections of a cluster. */
export function connectionOf(cluster: Part): Connection {
  const options = cluster.at("typed_extension_protocol_options", httpOptionsType);
  const common = options?.at("common_http_protocol_options");
  return {
    protocol: protocolOf(options),
    connections: given({
      connectTimeoutMs: positive(cluster.ms("connect_timeout")) ?? 5_000,
      maxIdleMs: positive(common?.ms("idle_timeout")),
      maxAgeMs: positive(common?.ms("max_connection_duration")),
      maxRequests: positive(common?.number("max_requests_per_connection")),
    }),
  };
}

/** 0 switches a limit off in Envoy; those here have defaults then. */
function positive(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function protocolOf(options: Part | undefined): Connection["protocol"] {
  if (options?.at("auto_config") !== undefined) return "auto";
  const downstream = options?.at("use_downstream_protocol_config");
  if (downstream !== undefined) {
    downstream.notice(
      "difference",
      "HttpProtocolOptions.use_downstream_protocol_config",
      "a call has no version of HTTP; the instance chooses where it speaks TLS, and it is HTTP/1.1 else",
    );
    return "auto";
  }
  return options?.at("explicit_http_config", "http2_protocol_options") === undefined ? "h1" : "h2";
}
