import { rawHeader } from "../core/http/raw-headers.ts";
import type { ServerRequest } from "./node-server.ts";

/**
 * The names that senders of probes give themselves: health checks of a mesh, the kubelet, Consul's agent, the load balancers of AWS and Google Cloud. A
 * sender that gives itself such a name in requests of another kind shortens the wait for itself alone.
 */
const probeAgent = /^(?:inmesh-health-check$|kube-probe\/|Consul Health Check$|ELB-HealthChecker\/|GoogleHC\/)/;
/** The health protocol of gRPC, whose clients name themselves as they do in other calls. */
const grpcHealthPath = "/grpc.health.v1.Health/";

/** Whether a request asks for the health of this instance and is no call: its sender asks on until the end, and loses nothing by it. */
export function isProbe(request: ServerRequest): boolean {
  if (request.url?.startsWith(grpcHealthPath) === true) return true;
  const agent = rawHeader(request.rawHeaders, "user-agent");
  return agent !== undefined && probeAgent.test(agent);
}
