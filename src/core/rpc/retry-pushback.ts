import type { MeshResponse } from "../dispatch.ts";
import { headerOf } from "../http/response-headers.ts";
import { trailerOf } from "./rpc-outcome.ts";

const name = "grpc-retry-pushback-ms";

/**
 * The wish of an instance about a further attempt (gRFC A6): the pause in milliseconds, or `never` where it sends a negative number or no number.
 * `undefined` where it wishes nothing.
 */
export function retryPushback(response: MeshResponse): number | "never" | undefined {
  const text = headerOf(response, name) ?? trailerOf(response.body.trailers, name);
  if (text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) ? Number(text) : "never";
}
