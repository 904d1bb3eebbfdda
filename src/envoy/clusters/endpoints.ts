import { isIP } from "node:net";
import { quoted } from "../../core/text/clean-text.ts";
import { given, literal, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** An endpoint of a cluster, before it is known how its name is resolved. */
export interface ReadEndpoint {
  readonly part: Part;
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly weight: number;
  readonly place: Options;
  /** The key of its points on a ring, where it is not its address. */
  readonly key: string | undefined;
}

/** Which endpoints of an assignment are meant, and how. */
export interface EndpointRules {
  readonly byLocalityWeight: boolean;
  readonly byHostname: boolean;
}

const out = new Set(["UNHEALTHY", "DRAINING", "TIMEOUT"]);

/** The endpoints of an assignment, in its order. */
export function endpointsOf(assignment: Part, rules: EndpointRules): readonly ReadEndpoint[] {
  const localities = assignment.list("endpoints");
  const shares = rules.byLocalityWeight ? localityShares(localities) : localities.map(() => 1);
  return localities.flatMap((locality, index) => {
    const share = shares[index] as number;
    if (share === 0) return [];
    return locality.list("lb_endpoints").flatMap((each) => {
      const status = each.text("health_status") ?? "UNKNOWN";
      if (status === "DEGRADED")
        each.at("health_status")?.refuse("LbEndpoint.health_status: an instance is in rotation or out of it; there is no DEGRADED");
      if (!out.has(status)) return [readEndpoint(each, locality, share, rules)];
      each.settle();
      each.notice("difference", "LbEndpoint.health_status", `the endpoint is ${status}, and left out: Envoy would use it in a panic`);
      return [];
    });
  });
}

function readEndpoint(part: Part, locality: Part, share: number, { byHostname }: EndpointRules): ReadEndpoint {
  const endpoint = part.at("endpoint") ?? part.refuse("LbEndpoint.endpoint is missing");
  const socket = endpoint.at("address", "socket_address");
  const pipe = endpoint.text("address", "pipe", "path");
  const host = socket?.text("address");
  const port = socket?.number("port_value");
  if (pipe === undefined && (host === undefined || port === undefined || port === 0))
    endpoint.refuse("Endpoint.address must have a socket_address with address and port_value, or a pipe");
  if (pipe !== undefined && !pipe.startsWith("/"))
    endpoint.refuse(`Endpoint.address.pipe.path must be an absolute path, not ${quoted(pipe)}`);
  const filterMetadata = part.at("metadata", "filter_metadata", "envoy.lb");
  return {
    part,
    host: host ?? "unix",
    port: port ?? 1,
    socketPath: pipe,
    weight: (part.number("load_balancing_weight") ?? 1) * share,
    place: placeOf(locality, filterMetadata),
    key: filterMetadata?.text("hash_key") ?? (byHostname ? endpoint.text("hostname") : undefined),
  };
}

function placeOf(locality: Part, labels: Part | undefined): Options {
  const priority = locality.number("priority") ?? 0;
  const metadata = labels === undefined ? undefined : metadataTexts(labels);
  return given({
    priority: priority === 0 ? undefined : priority,
    zone: locality.text("locality", "zone") || undefined,
    region: locality.text("locality", "region") || undefined,
    metadata: metadata === undefined || Object.keys(metadata).length === 0 ? undefined : metadata,
  });
}

/** Values of metadata as texts, which is what those of instances are. */
export function metadataTexts(labels: Part): Record<string, string> {
  const entries = labels.entries().map(([name, value]) => {
    if (typeof value.value === "object") return value.refuse(`the metadata ${quoted(name)} must be a text, a number or a flag`);
    return [name, literal(String(value.value))] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * The factor of the weights of each locality, with which localities share the load by theirs. One without a weight gets nothing, as
 * in Envoy.
 */
function localityShares(localities: readonly Part[]): readonly number[] {
  const sums = localities.map((each) =>
    each.list("lb_endpoints").reduce((sum, one) => sum + (one.number("load_balancing_weight") ?? 1), 0),
  );
  return localities.map((each, index) => {
    const sum = sums[index] as number;
    return sum === 0 ? 0 : (each.number("load_balancing_weight") ?? 0) / sum;
  });
}

/** Weights as discovery has them, up to 65535, in the same proportions. */
export function scaledWeights(endpoints: readonly ReadEndpoint[]): readonly number[] {
  const weights = endpoints.map(({ weight }) => weight);
  const most = Math.max(...weights, 1);
  const isWhole = weights.every(Number.isInteger) && most <= 65_535;
  if (isWhole) return weights;
  return weights.map((weight) => Math.max(0.001, Number(((weight * 1_000) / most).toFixed(3))));
}

/** One endpoint of a list in a configuration. */
export function listed(endpoint: ReadEndpoint, weight: number): Options {
  const { host, port, socketPath, place, key } = endpoint;
  return given({
    id: key ?? (socketPath === undefined ? undefined : socketPath),
    host,
    port,
    socketPath,
    weight: weight === 1 ? undefined : weight,
    ...place,
  });
}

/** Whether a host is an address, or this machine. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0 || host === "localhost";
}
