import type { MeshRequest } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { Upstream, type UpstreamStatistics } from "../core/upstream.ts";

/** A `MeshRequest` as a layer is given it: `GET /` of the service `test` without a limit, unless `overrides` says otherwise. */
export function testRequest(overrides: Partial<MeshRequest> = {}): MeshRequest {
  const headers = Object.create(null) as Record<string, string>;
  return {
    ...meshRequest({ service: "test", method: "GET", path: "/", headers, body: undefined, options: overrides.options }),
    ...overrides,
  };
}

/**
 * An `Upstream` of the service `test` at 127.0.0.1:8080, unless `overrides` says otherwise; its id is its address. A test may set its
 * statistics, which in a mesh only attempts change.
 */
export function testUpstream(overrides: Partial<Endpoint> & { readonly service?: string } = {}): Upstream & UpstreamStatistics {
  const { service = "test", host = "127.0.0.1", port = 8080, id = `${host}:${port}`, ...rest } = overrides;
  return new Upstream(service, { id, host, port, ...rest });
}
