import { type DescMessage, fromBinary, fromJsonString, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describeError } from "../core/errors.ts";
import type { TransportSettings } from "./transport-options.ts";

const encoder = new TextEncoder();

/**
 * A message as bytes.
 * @throws ConnectError `Internal` for one that cannot be written, and `ResourceExhausted` for one that is too large.
 */
export function encode<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>, settings: TransportSettings): Uint8Array {
  const { codec, writeMaxBytes, binaryOptions, jsonOptions } = settings;
  let bytes: Uint8Array;
  try {
    bytes = codec === "proto" ? toBinary(desc, message, binaryOptions) : encoder.encode(toJsonString(desc, message, jsonOptions));
  } catch (thrown) {
    throw new ConnectError(
      `a message ${desc.typeName} cannot be written: ${describeError(thrown)}`,
      Code.Internal,
      undefined,
      undefined,
      thrown,
    );
  }
  if (bytes.byteLength <= writeMaxBytes) return bytes;
  const text = `a message ${desc.typeName} of ${bytes.byteLength} bytes is larger than the limit of ${writeMaxBytes} bytes (writeMaxBytes)`;
  throw new ConnectError(text, Code.ResourceExhausted);
}

/**
 * A message from bytes.
 * @throws Error for bytes that are none of its type.
 */
export function decode<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array, settings: TransportSettings): MessageShape<Desc> {
  const { codec, binaryOptions, jsonOptions } = settings;
  return codec === "proto"
    ? fromBinary(desc, bytes, binaryOptions)
    : fromJsonString(desc, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"), jsonOptions);
}
