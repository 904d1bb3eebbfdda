import type { Balancer } from "../balancer/balancer.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import type { Upstream } from "../core/upstream.ts";

/**
 * Picks an instance that speaks TLS, preferably one that the call has not tried; while none of them is in rotation, one that is not. `undefined`
 * where no instance speaks it of the service, or of the subset that the route of the call leads to.
 */
export function pickSecure(balancer: Balancer, request: MeshRequest, mayProbe: boolean): Upstream | undefined {
  const isSecure = ({ endpoint }: Upstream) => endpoint.secure === true;
  const all = balancer.upstreamsOf(request);
  const plain = all.filter((upstream) => !isSecure(upstream));
  for (const tried of [[...request.tried, ...plain], plain]) {
    const upstream = balancer.pick({ ...request, tried }, mayProbe);
    if (upstream !== undefined && isSecure(upstream)) return upstream;
  }
  return all.filter(isSecure).toSorted((one, other) => one.inFlight - other.inFlight)[0];
}

/** The error of a call that must go over TLS, to a service of which no instance speaks it. */
export function noTls({ service, attempts, routed }: MeshRequest): MeshError {
  const where = routed?.subset === undefined ? "" : ` of the subset ${routed.subset.name}`;
  const reason = `the target asks for TLS, and discovery lists no instance${where} with \`secure: true\``;
  return new MeshError("ERR_MESH_INVALID_TARGET", `target https://${service} is refused: ${reason}`, {
    service,
    attempts: [...attempts],
    stack: false,
  });
}
