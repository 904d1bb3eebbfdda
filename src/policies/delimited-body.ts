import type { Protocol } from "../core/connection-options.ts";
import type { Interceptor, MeshResponse } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { flag } from "../core/settings/rules.ts";

/**
 * Refuses a response whose body ends with its connection: of such a body nobody can tell whether it is whole, since the end of a
 * connection is all there is to see (RFC 9112 §6.3). Above the breakers: the instance has done nothing wrong.
 */
export function delimitedBody(protocol: Protocol): Interceptor {
  return (next) => (request) =>
    next(request).then((response) => {
      if (request.method === "HEAD" || !endsWithItsConnection(response, protocol)) return response;
      response.body.cancel();
      const { service, attempts } = request;
      throw new MeshError(
        "ERR_MESH_BODY",
        `the response of "${service}" has neither content-length nor chunks, so it cannot be told whether its body is whole (requireDelimitedBody)`,
        { service, attempts: [...attempts] },
      );
    });
}

function endsWithItsConnection(response: MeshResponse, protocol: Protocol): boolean {
  const { status } = response;
  if (status === 204 || status === 304 || response.upstream === undefined) return false;
  // HTTP/2 has frames that say where a body ends, and no `connection` header (RFC 9113 §8.2.2).
  if (protocol === "h2" || (protocol === "auto" && headerOf(response, "connection") === undefined)) return false;
  return headerOf(response, "content-length") === undefined && headerOf(response, "transfer-encoding") === undefined;
}

/** The option of {@link delimitedBodyLayer}. */
export interface DelimitedBodyOption {
  /**
   * Refuses responses whose body ends with its connection: of those nothing tells whether they are whole. (A connection that is reset is
   * noticed in any case; one that is closed too early is not.) @default false
   */
  readonly requireDelimitedBody?: boolean;
}

/** Above the breakers: what it refuses is no fault of an instance. */
export const delimitedBodyLayer = layer({
  name: "delimited body",
  options: optionTable<DelimitedBodyOption>()({ requireDelimitedBody: flag(false) }),
  build: ({ requireDelimitedBody }, { protocol }: { readonly protocol: Protocol }) =>
    requireDelimitedBody ? delimitedBody(protocol) : undefined,
});
