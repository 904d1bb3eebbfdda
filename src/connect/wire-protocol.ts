import type { MeshResponse, RpcProtocol } from "../core/dispatch.ts";
import { ownVersion } from "../core/node/own-version.ts";
import { endOfStreamFlag, trailersFlag } from "../rpc/frames.ts";
import type { CallStatus } from "./call-status.ts";
import { acceptedCompressions, type CompressionName } from "./compression.ts";
import { readEndOfStream } from "./connect-error-json.ts";
import { grpcStatusIn, missingStatus, readTrailerFrame } from "./grpc-status.ts";
import type { TransportSettings } from "./transport-options.ts";
import { faultOfHead, readConnectAnswer, readGrpcAnswer, type UnaryAnswer } from "./unary-answer.ts";

/** A protocol, as a transport writes and reads it. */
export interface WireProtocol {
  readonly name: RpcProtocol;
  readonly timeoutHeader: "grpc-timeout" | "connect-timeout-ms";
  /** Whether a message of a call of one message has a prefix. */
  readonly hasFrames: boolean;
  /** The headers of a call; `compression`: that of its messages. */
  headers(isStream: boolean, compression: CompressionName | undefined): Readonly<Record<string, string>>;
  /** Reads the answer of one message whole. */
  readUnary(response: MeshResponse): Promise<UnaryAnswer>;
  /** The fault of the head of a stream. */
  faultOfHead(response: MeshResponse): CallStatus | undefined;
  /** The header with the coding of the messages of a stream. */
  readonly streamCoding: string;
  /** The status in a frame that ends a stream; `undefined` for a frame with a message. */
  statusIn(flags: number, data: () => Uint8Array): CallStatus | undefined;
  /** The status of a stream that has ended without such a frame. */
  statusAtEnd(response: MeshResponse): CallStatus;
}

/** The protocol of a transport. */
export function wireProtocol({ protocol, codec, readMaxBytes }: TransportSettings): WireProtocol {
  return protocol === "connect" ? connectProtocol(codec, readMaxBytes) : grpcProtocol(protocol, codec, readMaxBytes);
}

function grpcProtocol(name: "grpc" | "grpc-web", codec: string, maxBytes: number): WireProtocol {
  const type = `application/${name}+${codec}`;
  const common: Readonly<Record<string, string>> = {
    "content-type": type,
    "grpc-accept-encoding": acceptedCompressions,
    "user-agent": `grpc-node-inmesh/${ownVersion}`,
    ...(name === "grpc" ? { te: "trailers" } : { "x-grpc-web": "1", accept: type }),
  };
  return {
    name,
    timeoutHeader: "grpc-timeout",
    hasFrames: true,
    headers: (_isStream, compression) => (compression === undefined ? common : { ...common, "grpc-encoding": compression }),
    readUnary: (response) => readGrpcAnswer(response, type, maxBytes),
    faultOfHead: (response) => faultOfHead(response, type),
    streamCoding: "grpc-encoding",
    statusIn: (flags, data) => (flags < trailersFlag ? undefined : (grpcStatusIn(readTrailerFrame(data())) ?? missingStatus)),
    statusAtEnd: (response) => grpcStatusIn(response.body.trailers) ?? grpcStatusIn(response.headers) ?? missingStatus,
  };
}

function connectProtocol(codec: string, maxBytes: number): WireProtocol {
  const unary: Readonly<Record<string, string>> = {
    "content-type": `application/${codec}`,
    "connect-protocol-version": "1",
    "accept-encoding": acceptedCompressions,
    "user-agent": `connect-node-inmesh/${ownVersion}`,
  };
  const streamType = `application/connect+${codec}`;
  const { "accept-encoding": accepted = "", ...rest } = unary;
  const stream: Readonly<Record<string, string>> = { ...rest, "content-type": streamType, "connect-accept-encoding": accepted };
  return {
    name: "connect",
    timeoutHeader: "connect-timeout-ms",
    hasFrames: false,
    headers: (isStream, compression) => {
      const headers = isStream ? stream : unary;
      return compression === undefined
        ? headers
        : { ...headers, [isStream ? "connect-content-encoding" : "content-encoding"]: compression };
    },
    readUnary: (response) => readConnectAnswer(response, `application/${codec}`, maxBytes),
    faultOfHead: (response) => faultOfHead(response, streamType),
    streamCoding: "connect-content-encoding",
    statusIn: (flags, data) => ((flags & endOfStreamFlag) === 0 ? undefined : readEndOfStream(data())),
    statusAtEnd: () => missingStatus,
  };
}
