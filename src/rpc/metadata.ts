import { quoted } from "../core/text/clean-text.ts";

const names = /^[0-9a-z_.-]+$/;
/** An ASCII value: visible characters and spaces. */
const asciiValue = /^[\x20-\x7e]*$/;
const base64 = /^[0-9A-Za-z+/]*={0,2}$/;

/** Headers that a protocol has for itself, beside those that begin with `grpc-`. */
const reserved: ReadonlySet<string> = new Set([
  "connect-accept-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Names that begin with `grpc-` and are none of the protocol: traces, which programs hand on. */
const free: ReadonlySet<string> = new Set(["grpc-trace-bin", "grpc-tags-bin"]);

/** Whether a program may not set the metadata of this name (in lower case): the protocol, the connection or the mesh has it for itself. */
export function isReservedMetadata(name: string): boolean {
  return name.startsWith(":") || reserved.has(name) || (name.startsWith("grpc-") && !free.has(name));
}

/** Why a program may not send this metadata; `undefined` where it may. The value, which may be a credential, is not shown. */
export function metadataFault(name: string, value: string): string | undefined {
  if (!names.test(name)) return `the name ${quoted(name)} is none of metadata`;
  if (isReservedMetadata(name)) return `the name ${quoted(name)} is reserved`;
  if (name.endsWith("-bin"))
    return value.split(/,\s*/).every((each) => base64.test(each)) ? undefined : `the value of ${quoted(name)} is not base64`;
  return asciiValue.test(value) ? undefined : `the value of ${quoted(name)} has characters that metadata cannot carry`;
}

/** The bytes of one value of metadata whose name ends in `-bin`, with or without padding; `undefined` where it is not base64. */
export function readBinary(value: string): Uint8Array | undefined {
  return base64.test(value) ? new Uint8Array(Buffer.from(value, "base64")) : undefined;
}

/** Bytes as the value of metadata whose name ends in `-bin`: without padding, as gRPC asks of senders. */
export function writeBinary(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  const padding = text.indexOf("=");
  return padding === -1 ? text : text.slice(0, padding);
}
