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
  // Each of its fields is a notice; without one it says nothing.
  options?.at("upstream_http_protocol_options");
  return {
    protocol: protocolOf(options),
    connections: given({
      connectTimeoutMs: connectTimeout(cluster),
      maxIdleMs: limitOf(common, "idle_timeout"),
      maxAgeMs: limitOf(common, "max_connection_duration"),
      maxRequests: common?.number("max_requests_per_connection") || undefined,
    }),
  };
}

function connectTimeout(cluster: Part): number {
  const ms = cluster.ms("connect_timeout") ?? 5_000;
  if (ms === 0) cluster.at("connect_timeout")?.refuse("Cluster.connect_timeout must be more than 0s");
  return ms;
}

/** A limit of a connection. 0 switches it off in Envoy. */
function limitOf(common: Part | undefined, field: string): number | undefined {
  const ms = common?.ms(field);
  if (ms !== 0) return ms;
  common
    ?.at(field)
    ?.notice(
      "difference",
      `HttpProtocolOptions.${field}`,
      "0s is no limit in Envoy; connections of a mesh keep the limit that they have by default",
    );
  return undefined;
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
