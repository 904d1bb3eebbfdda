import { Buffer } from "node:buffer";
import type { Metadata } from "@grpc/grpc-js";
import { copyOfHeaders, headerFault, type RequestHeaders } from "../../core/http/request-headers.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { isReservedMetadata } from "../../rpc/metadata.ts";

/** Names that gRPC sets itself, and that a server which hands its metadata on has among them: they are left out. */
const setByGrpc: ReadonlySet<string> = new Set(["content-type", "te", "user-agent", "grpc-accept-encoding", "accept-encoding"]);

/** Metadata that a call may not have. */
export class MetadataFault extends Error {}

/**
 * The headers of a request: those that every call of the channel has, and the metadata of the call. Several values of a name are joined by commas, which says the
 * same (gRPC over HTTP/2). Headers of the mesh's own are left out.
 * @throws MetadataFault for a name that is reserved, or a value that no header carries; it does not show the value, which may be a credential.
 */
export function headersOf(template: RequestHeaders, metadata: Metadata): Record<string, string> {
  const headers = copyOfHeaders(template);
  const given = metadata.toHttp2Headers();
  for (const name in given) {
    const value = given[name];
    if (setByGrpc.has(name) || value === undefined) continue;
    if (isReservedMetadata(name)) throw new MetadataFault(`the metadata ${quoted(name)} is reserved for gRPC and its connection`);
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    const fault = headerFault(name, text);
    if (fault === undefined) headers[name] = text;
    else if (headerFault(name) === undefined) throw new MetadataFault(`the metadata ${quoted(name)} ${fault}`);
  }
  return headers;
}

/** Says what metadata is made by: the class of the client's own copy of the package. */
export type MetadataClass = new () => Metadata;

/** Headers or trailers as metadata; those that `isLeftOut` names are none. */
export function metadataOf(Made: MetadataClass, lines: readonly string[], isLeftOut: (name: string) => boolean): Metadata {
  const metadata = new Made();
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    if (!isLeftOut(name)) addTo(metadata, name, lines[index + 1] as string);
  }
  return metadata;
}

function addTo(metadata: Metadata, name: string, value: string): void {
  try {
    if (!name.endsWith("-bin")) metadata.add(name, value);
    else for (const each of value.split(",")) metadata.add(name, Buffer.from(each.trim(), "base64"));
  } catch {
    // A name or value that metadata cannot have is of no use to its reader; all else of the answer is.
  }
}

/** Names that the channel has read itself of the head or the trailers of an answer. */
export function isOfProtocol(name: string): boolean {
  return name === "grpc-encoding" || name === "grpc-accept-encoding" || name === "grpc-status" || name === "grpc-message";
}
