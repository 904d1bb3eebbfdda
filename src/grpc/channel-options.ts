import { refuseOption } from "../core/settings/checks.ts";
import { quoted } from "../core/text/clean-text.ts";
import type { Compression } from "./calls/compression.ts";

/** The options of a channel that a mesh obeys, read. */
export interface ChannelSettings {
  /** Of a message, in bytes; -1 = no limit. */
  readonly maxReceiveBytes: number;
  readonly maxSendBytes: number;
  /** Of the messages that are sent. */
  readonly compression: Compression;
  readonly userAgent: string;
}

/** The names of the numbers in `compressionAlgorithms` of the package. */
const algorithms: readonly Compression[] = ["identity", "deflate", "gzip"];

/** Options of a channel in whose place the mesh has its own. */
const ownOptions: Readonly<Partial<Record<string, string>>> = {
  "grpc.service_config": "the options of the service, such as `picker`, `retry` and `timeoutMs`",
  "grpc.enable_retries": "`retry` of the service",
  "grpc.ssl_target_name_override": "`peer.name` of the service",
  "grpc.default_authority": "`peer.name` of the service",
  "grpc.keepalive_time_ms": "connections that are found dead by themselves",
  "grpc.keepalive_timeout_ms": "connections that are found dead by themselves",
  "grpc.keepalive_permit_without_calls": "connections that are found dead by themselves",
  "grpc.initial_reconnect_backoff_ms": "circuits, which look after instances that cannot be reached",
  "grpc.max_reconnect_backoff_ms": "circuits, which look after instances that cannot be reached",
  "grpc.client_idle_timeout_ms": "`connections.maxIdleMs` of the service",
  "grpc.enable_http_proxy": "no proxies",
};

/**
 * Reads the options of a channel.
 * @throws TypeError naming an option that the mesh has no use for, and where the mesh has its own in that place.
 */
export function channelSettings(options: Readonly<Record<string, unknown>>, version: string): ChannelSettings {
  for (const name of Object.keys(options)) if (!readers.has(name)) refuse(name, options[name]);
  const agents = [options["grpc.primary_user_agent"], `grpc-node-js/${version} inmesh`, options["grpc.secondary_user_agent"]];
  const algorithm = options["grpc.default_compression_algorithm"] ?? 0;
  const compression = algorithms[algorithm as number];
  if (compression === undefined) refuseOption("grpc.default_compression_algorithm", algorithm, "one of `compressionAlgorithms`: 0, 1 or 2");
  return {
    maxReceiveBytes: sizeOf(options, "grpc.max_receive_message_length", 4 * 2 ** 20),
    maxSendBytes: sizeOf(options, "grpc.max_send_message_length", -1),
    compression,
    userAgent: agents.filter((agent) => typeof agent === "string" && agent !== "").join(" "),
  };
}

const readers: ReadonlySet<string> = new Set([
  "grpc.max_receive_message_length",
  "grpc.max_send_message_length",
  "grpc.default_compression_algorithm",
  "grpc.primary_user_agent",
  "grpc.secondary_user_agent",
]);

function refuse(name: string, value: unknown): void {
  if (value === undefined) return;
  const own = ownOptions[name];
  const instead = own === undefined ? `it has ${[...readers].join(", ")}` : `in its place a mesh has ${own}`;
  throw new TypeError(`a client through a mesh has no option ${quoted(name)}; ${instead}`);
}

function sizeOf(options: Readonly<Record<string, unknown>>, name: string, otherwise: number): number {
  const size = options[name] ?? otherwise;
  if (!Number.isInteger(size) || (size as number) < -1) refuseOption(name, size, "a whole number of bytes, or -1 for no limit");
  return size as number;
}
