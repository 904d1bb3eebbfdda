import type { ResponseBody } from "../../core/http/body.ts";
import type { DecodedCall } from "./decode-guard.ts";
import type { DecodeLimits } from "./decode-options.ts";
import { DecodedBody } from "./decoded-body.ts";
import { decoders } from "./decoders.ts";

/** A body with more codings than these stays as it is, like one with an unknown coding. */
const maxCodings = 2;

/**
 * Decodes a body by its `content-encoding` (RFC 9110 §8.4.1: gzip, deflate, br, zstd). With an unknown coding the body stays as it is, as in
 * the Fetch standard. A body that is malformed, or larger than the limits allow, fails with `ERR_MESH_BODY`, and its connection is closed. The
 * {@link ResponseBody.content} of the body is told how the decoding has ended.
 */
export function decodeBody(
  body: ResponseBody,
  contentEncoding: string | undefined,
  service: string,
  limits: DecodeLimits,
  call?: DecodedCall,
): ResponseBody {
  if (contentEncoding === undefined) return body;
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "identity" && coding !== "");
  if (codings.length === 0) return body;
  if (codings.length > maxCodings || !codings.every((coding) => coding in decoders)) return body;
  return new DecodedBody(body, codings.reverse(), service, limits, call);
}
