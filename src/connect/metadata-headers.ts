import { Code, ConnectError } from "@connectrpc/connect";
import { copyOfHeaders, type RequestHeaders, requestHeaders } from "../core/http/request-headers.ts";
import { metadataFault } from "../rpc/metadata.ts";

const none: RequestHeaders = requestHeaders(undefined);

/**
 * The metadata of a call as headers of a request, which its maker may add to.
 * @throws ConnectError `InvalidArgument` for a reserved name and for a value that metadata cannot carry.
 */
export function headersOf(metadata: Iterable<readonly [string, string]> | undefined): Record<string, string> {
  if (metadata === undefined) return copyOfHeaders(none);
  for (const [name, value] of metadata) {
    const fault = metadataFault(name, value);
    if (fault !== undefined) throw new ConnectError(`metadata of the call: ${fault}`, Code.InvalidArgument);
  }
  return requestHeaders(metadata as Iterable<readonly string[]>);
}

/** Lines of a head, or of trailers, as metadata. */
export function metadataOf(lines: readonly string[]): Headers {
  return addTo(new Headers(), lines);
}

/** Adds lines to metadata. */
export function addTo(metadata: Headers, lines: readonly string[]): Headers {
  for (let index = 0; index + 1 < lines.length; index += 2) {
    try {
      metadata.append(lines[index] as string, lines[index + 1] as string);
    } catch {
      // A name or value that is none of HTTP, which a body can have (gRPC-Web, Connect): the rest counts all the same.
    }
  }
  return metadata;
}

/** The lines of a head, and of trailers: names in lower case and values in turn. */
export interface SplitLines {
  readonly headers: readonly string[];
  readonly trailers: readonly string[];
}

/** The prefix of trailers that Connect has in the head of an answer of one message. */
const trailerPrefix = "trailer-";

/** The lines of a head of Connect in two parts: its own, and the trailers. */
export function splitTrailers(lines: readonly string[]): SplitLines {
  const headers: string[] = [];
  const trailers: string[] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index] as string;
    if (name.startsWith(trailerPrefix)) trailers.push(name.slice(trailerPrefix.length), lines[index + 1] as string);
    else headers.push(name, lines[index + 1] as string);
  }
  return { headers, trailers };
}
