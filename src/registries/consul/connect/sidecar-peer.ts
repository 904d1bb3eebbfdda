import type { EndpointPeer } from "../../../core/endpoint.ts";
import { field, text } from "../entries/json.ts";

/** The place of a service in a Consul Connect mesh. */
export interface ConnectPlace {
  /** The name that was asked for. */
  readonly service: string;
  readonly trustDomain: string;
  readonly namespace: string | undefined;
  readonly partition: string | undefined;
}

/**
 * The certificate to expect of an instance in a Consul Connect mesh: that of the service which was asked for, in any datacentre, as the rules of sidecars
 * have it. Nothing of it is taken from what an instance says of itself, but for the spelling of the name, which Consul does not tell apart.
 */
export function sidecarPeer({ service, trustDomain, namespace = "default", partition }: ConnectPlace) {
  const isOtherPartition = partition !== undefined && partition !== "default";
  return (entry: unknown, node: unknown): EndpointPeer => {
    const name = spelling(service, entry);
    const place = `ns/${namespace}/dc/*/svc/${name}`;
    const datacentre = text(field(node, "Datacenter"));
    const sni = isOtherPartition
      ? [name, namespace, partition, datacentre, "internal-v1", trustDomain]
      : [name, namespace, datacentre, "internal", trustDomain];
    return {
      id: `spiffe://${trustDomain}/${isOtherPartition ? `ap/${partition}/` : ""}${place}`,
      ...(datacentre === undefined ? {} : { serverName: sni.join(".") }),
      // A sidecar offers what the service behind it speaks: it hands on the protocol that it is spoken to in.
      negotiates: true,
    };
  };
}

/** A sidecar has the certificate of the name that its service was registered with, and Consul finds it by any spelling of that. */
function spelling(service: string, entry: unknown): string {
  const own = text(field(field(entry, "Proxy"), "DestinationServiceName")) ?? text(field(entry, "Service"));
  return own?.toLowerCase() === service.toLowerCase() ? own : service;
}
