/** Data as a file of Envoy has them. */
type Fields = Record<string, unknown>;

/** The ports that stand in the places of those of a file. */
export interface LocalPorts {
  /** The port that the listener has. */
  readonly listen: number;
  /** The port of an instance. */
  portOf(instance: string): number;
}

/** The instances of a file in the form of v3; for a cluster without any, one by its name. */
export function instancesIn(v3: Readonly<Fields>): readonly string[] {
  return [...new Set(clustersOf(v3).flatMap((cluster) => endpointsOf(cluster).map((endpoint) => keyOf(cluster, endpoint))))];
}

/**
 * A file in the form of v3 for this machine: each instance is one here, over HTTP/1.1 without TLS and without checks; only the listener with this name is
 * left, and what is of the machine (administration, logs) is gone.
 */
export function localEnvoyFile(v3: Readonly<Fields>, listener: string | undefined, { listen, portOf }: LocalPorts): Fields {
  const local = (cluster: Fields): Fields => {
    const {
      transport_socket: _tls,
      health_checks: _checks,
      typed_extension_protocol_options: _http,
      eds_cluster_config: _eds,
      dns_lookup_family: _family,
      ...rest
    } = cluster;
    return {
      ...rest,
      type: "STATIC",
      load_assignment: {
        ...(cluster["load_assignment"] as Fields | undefined),
        cluster_name: cluster["name"],
        endpoints: localEndpoints(cluster, portOf),
      },
    };
  };
  const listeners = listOf((v3["static_resources"] as Fields | undefined)?.["listeners"]).filter(
    (each) => servesHttp(each) && (listener === undefined || each["name"] === listener),
  );
  return {
    static_resources: {
      clusters: clustersOf(v3).map(local),
      listeners: listeners.map((each) => ({
        name: each["name"],
        address: { socket_address: { address: "127.0.0.1", port_value: listen } },
        filter_chains: listOf(each["filter_chains"]).map(({ filters }) => ({ filters: listOf(filters).map(ofThisMachine) })),
      })),
    },
  };
}

function clustersOf(v3: Readonly<Fields>): readonly Fields[] {
  return listOf((v3["static_resources"] as Fields | undefined)?.["clusters"]);
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

function servesHttp(listener: Fields): boolean {
  return JSON.stringify(listener).includes("v3.HttpConnectionManager");
}

/** Without logs, and for clients of every version of HTTP. */
function ofThisMachine(filter: Fields): Fields {
  const { access_log: _log, tracing: _tracing, codec_type: _codec, ...config } = filter["typed_config"] as Fields;
  return { ...filter, typed_config: config };
}

/** The endpoints of a cluster, each with the name of its cluster where it has no address of its own. */
function endpointsOf(cluster: Fields): readonly Fields[] {
  const localities = listOf((cluster["load_assignment"] as Fields | undefined)?.["endpoints"]);
  const endpoints = localities.flatMap(({ lb_endpoints }) => listOf(lb_endpoints));
  return endpoints.length === 0 ? [{ endpoint: { address: { pipe: { path: cluster["name"] } } } }] : endpoints;
}

/** An instance of a cluster: other clusters may have its address too. */
function keyOf(cluster: Fields, endpoint: Fields): string {
  return `${String(cluster["name"])} at ${addressOf(endpoint)}`;
}

/**
 * The label of an instance where outcomes are compared: where a key chooses it, the instance itself; else its cluster, since turns begin anywhere and
 * chance is chance.
 */
export function labelsOf(v3: Readonly<Fields>): (instance: string) => string {
  const labels = new Map<string, string>();
  for (const cluster of clustersOf(v3)) {
    const isHashed = /"(?:RING_HASH|MAGLEV)"|v3\.(?:RingHash|Maglev)"/.test(JSON.stringify(cluster));
    for (const endpoint of endpointsOf(cluster)) if (!isHashed) labels.set(keyOf(cluster, endpoint), String(cluster["name"]));
  }
  return (instance) => labels.get(instance) ?? instance;
}

function addressOf({ endpoint }: Fields): string {
  const { socket_address: socket, pipe } = (endpoint as { readonly address: Record<string, Fields | undefined> }).address;
  return pipe === undefined ? `${String(socket?.["address"])}:${String(socket?.["port_value"])}` : String(pipe["path"]);
}

function localEndpoints(cluster: Fields, portOf: LocalPorts["portOf"]): readonly Fields[] {
  const moved = (each: Fields): Fields => {
    const endpoint = {
      ...(each["endpoint"] as Fields),
      address: { socket_address: { address: "127.0.0.1", port_value: portOf(keyOf(cluster, each)) } },
    };
    return { ...each, endpoint };
  };
  const localities = listOf((cluster["load_assignment"] as Fields | undefined)?.["endpoints"]);
  if (localities.length === 0) return [{ lb_endpoints: endpointsOf(cluster).map(moved) }];
  return localities.map((locality) => ({ ...locality, lb_endpoints: listOf(locality["lb_endpoints"]).map(moved) }));
}
