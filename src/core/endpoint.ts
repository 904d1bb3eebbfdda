/**
 * One instance of a service as discovery tells it: readonly data, never changed by the mesh.
 * What the mesh learns about the instance lives in the `Upstream` of `inmesh/extend`.
 */
export interface Endpoint {
  /** Stable while the instance lives; unique within its service. Updates are matched by it. */
  readonly id: string;
  /** An IP address (IPv6 without brackets) or a host name. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** The instance listens on this Unix socket (an absolute path) instead of `host` and `port`, which only name it then. */
  readonly socketPath?: string;
  /** `true` when the instance speaks TLS. */
  readonly secure?: boolean;
  /** Relative share of the load, 0–65535. 0 means: only when nothing else of its priority is left. Absent means 1. */
  readonly weight?: number;
  /** Failure domain (availability zone, datacentre), for zone-aware choices. */
  readonly zone?: string;
  /** Lower is preferred (RFC 2782); a higher one takes over as instances of the lower ones fail (`priorities`). Absent means 0. */
  readonly priority?: number;
  /** What else the registry says: version, tags, … */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `host:port` with IPv6 in brackets, or `unix:` and the path of a socket: how an endpoint is written in messages. */
export function addressOf(endpoint: Pick<Endpoint, "host" | "port" | "socketPath">): string {
  return endpoint.socketPath === undefined ? hostAndPort(endpoint) : `unix:${endpoint.socketPath}`;
}

/** `host:port` with IPv6 in brackets, as in a URL. */
export function hostAndPort({ host, port }: Pick<Endpoint, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether two endpoints have the same metadata; absent is as good as empty. */
export function sameMetadata(one: Endpoint["metadata"] = {}, other: Endpoint["metadata"] = {}): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key]);
}
