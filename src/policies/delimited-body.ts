import { type Protocol, protocolTo } from "../core/connection-options.ts";
import type { Interceptor, MeshResponse } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, flag } from "../core/settings/rules.ts";

/**
 * Refuses responses whose body ends with its connection: such a body may be truncated without notice, since its end and the loss of the
 * connection look the same (RFC 9112 §6.3).
 */
export function delimitedBody(protocol: Protocol | undefined): Interceptor {
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

function endsWithItsConnection(response: MeshResponse, given: Protocol | undefined): boolean {
  const { status } = response;
  if (status === 204 || status === 304 || response.upstream === undefined) return false;
  const protocol = protocolTo(response.upstream.endpoint, given);
  // HTTP/2 has frames that say where a body ends, and no `connection` header (RFC 9113 §8.2.2).
  if (protocol === "h2" || (protocol === "auto" && headerOf(response, "connection") === undefined)) return false;
  return headerOf(response, "content-length") === undefined && headerOf(response, "transfer-encoding") === undefined;
}

/** The option of {@link delimitedBodyLayer}. */
export interface DelimitedBodyOption {
  /**
   * Refuses responses whose body ends with its connection, since they may be truncated without notice. (Without this option, too, a
   * connection that is reset fails the body; one that is closed too early does not.) @default false
   */
  readonly requireDelimitedBody?: boolean;
}

/** Above the breakers: a response that is refused here is no fault of an instance. */
export const delimitedBodyLayer = layer({
  name: "delimited body",
  options: optionTable<DelimitedBodyOption>()({ requireDelimitedBody: atOnce(flag(false)) }),
  build: ({ requireDelimitedBody }, { protocol }: { readonly protocol: Protocol | undefined }) =>
    requireDelimitedBody ? delimitedBody(protocol) : undefined,
});
