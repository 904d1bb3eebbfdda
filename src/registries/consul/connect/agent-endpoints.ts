import { type RawCall, rawGet, rawPost } from "../http/raw-call.ts";

// Consul calls these endpoints of its agent deprecated since 1.17, to be removed when proxies without Envoy are served by gRPC. They have no successor that
// a process can ask, and every release so far has them. Nothing else names them.

/** The authorities of the mesh, active and inactive, and its trust domain. */
export const askRoots: RawCall = rawGet("/agent/connect/ca/roots");

/** The certificate and key of a service, by its name. The agent makes them, and renews them from then on. */
export const askLeaf = (service: string): RawCall => rawGet(`/agent/connect/ca/leaf/${encodeURIComponent(service)}`);

/** Whether the agent lets the holder of a certificate connect to `target`, by intentions without permissions and by the default. */
export const askAuthorize = (target: string, clientUri: string): RawCall =>
  rawPost("/agent/connect/authorize", { Target: target, ClientCertURI: clientUri, ClientCertSerial: "00" });
