import type { BinaryReadOptions, BinaryWriteOptions, DescMethod, JsonReadOptions, JsonWriteOptions } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { CallOptions } from "../core/dispatch.ts";
import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkInteger,
  checkKeys,
  checkNumber,
  checkObject,
  maxTimerMs,
  refuseOption,
} from "../core/settings/checks.ts";
import type { CompressionName } from "./compression.ts";

/** The protocol of a transport. */
export type TransportProtocol = "grpc" | "grpc-web" | "connect";

/** Options of {@link meshTransport}. */
export interface MeshTransportOptions {
  /** The protocol of the service. gRPC needs HTTP/2 (`protocol: "h2"`, or `"auto"`, in the options of the service). @default "grpc" */
  readonly protocol?: TransportProtocol;
  /** The form of messages; some servers of gRPC take no JSON. @default "proto" */
  readonly codec?: "proto" | "json";
  /** Interceptors of Connect; the first is the outermost. They run once a call, above all attempts. @default [] */
  readonly interceptors?: readonly Interceptor[];
  /** The time limit of a call that has none of its own, in milliseconds. The mesh's limit holds beside it for calls that are no streams. @default none */
  readonly defaultTimeoutMs?: number;
  /** The coding of messages that are sent; `false` = none. @default false */
  readonly sendCompression?: CompressionName | false;
  /** The smallest message that is compressed, in bytes. @default 1024 */
  readonly compressMinBytes?: number;
  /** The largest message that is taken, in bytes, compressed and decompressed. @default 4194304 */
  readonly readMaxBytes?: number;
  /** The largest message that is sent, in bytes, before it is compressed. @default 4294967295 */
  readonly writeMaxBytes?: number;
  /** Sends methods without side effects by GET, which caches can answer; of `connect` only, and while the path stays below 4 KiB. @default false */
  readonly useHttpGet?: boolean;
  /**
   * Whether a method may be executed twice, so that a call of it may be sent again after an attempt that may have been executed. @default by
   * `idempotency_level` in its definition
   */
  readonly isIdempotent?: (method: DescMethod) => boolean;
  /** Options of the calls of a method for the mesh, such as `priority` and `attemptTimeoutMs`. @default none */
  readonly callOptions?: (method: DescMethod) => CallOptions;
  /** Options of Protobuf for messages in binary. @default none */
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
  /** Options of Protobuf for messages in JSON. @default `{ ignoreUnknownFields: true }` */
  readonly jsonOptions?: Partial<JsonReadOptions & JsonWriteOptions>;
}

/** {@link MeshTransportOptions} with the defaults filled in. */
export type TransportSettings = Required<
  Omit<MeshTransportOptions, "defaultTimeoutMs" | "isIdempotent" | "callOptions" | "binaryOptions">
> &
  Record<"defaultTimeoutMs", number | undefined> & {
    readonly [Name in "isIdempotent" | "callOptions" | "binaryOptions"]: MeshTransportOptions[Name] | undefined;
  };

const names: readonly (keyof MeshTransportOptions)[] = [
  "protocol",
  "codec",
  "interceptors",
  "defaultTimeoutMs",
  "sendCompression",
  "compressMinBytes",
  "readMaxBytes",
  "writeMaxBytes",
  "useHttpGet",
  "isIdempotent",
  "callOptions",
  "binaryOptions",
  "jsonOptions",
];

/** The largest length that the prefix of a message can have. */
const mostBytes = 4_294_967_295;

/**
 * Checks the options, and fills in the defaults.
 * @throws TypeError or RangeError naming the option.
 */
export function transportSettings(options: MeshTransportOptions): TransportSettings {
  checkObject("meshTransport", options);
  checkKeys("meshTransport", options, names);
  const { protocol = "grpc", codec = "proto", interceptors = [], sendCompression = false, useHttpGet = false } = options;
  const { defaultTimeoutMs, compressMinBytes = 1_024, readMaxBytes = 4_194_304, writeMaxBytes = 4_294_967_295 } = options;
  const { isIdempotent, callOptions, binaryOptions, jsonOptions } = options;
  checkChoice("meshTransport: protocol", protocol, ["grpc", "grpc-web", "connect"]);
  checkChoice("meshTransport: codec", codec, ["proto", "json"]);
  if (sendCompression !== false) checkChoice("meshTransport: sendCompression", sendCompression, ["gzip", "br"]);
  checkFlag("meshTransport: useHttpGet", useHttpGet);
  if (defaultTimeoutMs !== undefined) checkNumber("meshTransport: defaultTimeoutMs", defaultTimeoutMs, 1, maxTimerMs);
  checkInteger("meshTransport: compressMinBytes", compressMinBytes, 0, mostBytes);
  checkInteger("meshTransport: readMaxBytes", readMaxBytes, 1, mostBytes);
  checkInteger("meshTransport: writeMaxBytes", writeMaxBytes, 1, mostBytes);
  for (const [name, value] of Object.entries({ isIdempotent, callOptions }))
    if (value !== undefined) checkFunction(`meshTransport: ${name}`, value);
  for (const [name, value] of Object.entries({ binaryOptions, jsonOptions }))
    if (value !== undefined) checkObject(`meshTransport: ${name}`, value);
  if (!Array.isArray(interceptors) || !interceptors.every((each) => typeof each === "function"))
    refuseOption("meshTransport: interceptors", interceptors, "an array of interceptors of Connect");
  if (useHttpGet && protocol !== "connect") throw new TypeError('meshTransport: useHttpGet is of the protocol "connect" alone');
  return {
    protocol,
    codec,
    interceptors,
    sendCompression,
    useHttpGet,
    defaultTimeoutMs,
    compressMinBytes,
    readMaxBytes,
    writeMaxBytes,
    isIdempotent,
    callOptions,
    binaryOptions,
    jsonOptions: { ignoreUnknownFields: true, ...jsonOptions },
  };
}
