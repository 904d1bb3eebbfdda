/**
 * One instance of a service as discovery lists it: data that the mesh never changes. What it learns about the instance is in the
 * `Upstream` of `inmesh/extend`.
 */
export interface Endpoint {
  /** Unique within the service, and the same as long as the instance runs. Updates are matched by it. */
  readonly id: string;
  /** An IP address (IPv6 without brackets) or a host name. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** A Unix socket, by its absolute path, that the instance listens on. `host` and `port` only name the instance then. */
  readonly socketPath?: string;
  /** Whether the instance speaks TLS. Absent means `false`. */
  readonly secure?: boolean;
  /** The certificate to expect there, where the source of the endpoint knows it. Only with `secure: true`. */
  readonly peer?: EndpointPeer;
  /** Relative share of the load, 0–65535. 0: only while no other instance of its priority is available. Absent means 1. */
  readonly weight?: number;
  /** Failure domain, such as an availability zone or datacentre, for zone-aware balancing. */
  readonly zone?: string;
  /** The region that the instance runs in, by which a `boundary` judges. Absent: the `region` of the metadata, else that of the zone. */
  readonly region?: string;
  /** Lower is preferred (RFC 2782); a higher one takes over as instances of the lower ones fail (`priorities`). Absent means 0. */
  readonly priority?: number;
  /** Further facts from the registry: version, tags, … */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The certificate to expect of an instance, as the source of its endpoint knows it: of a mesh whose ids are made from names of services. It only
 * demands more: what the options of a service demand (`peer`) goes before it, or is demanded beside it.
 */
export interface EndpointPeer {
  /** The SPIFFE id that the instance must have, in which a segment `*` of the path stands for any one: `spiffe://example.org/orders/*`. */
  readonly id: string;
  /** The name that the TLS handshake asks for (SNI), where the options give none. The certificate need not carry it. Absent: the host of the endpoint. */
  readonly serverName?: string;
  /** Whether it chooses its protocol (ALPN): HTTP/2 is offered beside HTTP/1.1 then, where the options say nothing of it. Absent means `false`. */
  readonly negotiates?: boolean;
}

/** The address of an endpoint in messages: `host:port` with IPv6 in brackets, or `unix:` and the path of its socket. */
export function addressOf(endpoint: Pick<Endpoint, "host" | "port" | "socketPath">): string {
  return endpoint.socketPath === undefined ? hostAndPort(endpoint) : `unix:${endpoint.socketPath}`;
}

/** `host:port` with IPv6 in brackets, as in a URL. */
export function hostAndPort({ host, port }: Pick<Endpoint, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether two endpoints have the same address and protocol, and are meant to be the same peer. */
export function sameAddress(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.host === other.host &&
      one.port === other.port &&
      one.socketPath === other.socketPath &&
      Boolean(one.secure) === Boolean(other.secure) &&
      samePeer(one.peer, other.peer))
  );
}

function samePeer(one: EndpointPeer | undefined, other: EndpointPeer | undefined): boolean {
  return one?.id === other?.id && one?.serverName === other?.serverName && Boolean(one?.negotiates) === Boolean(other?.negotiates);
}

/** Whether two endpoints are alike in all that a picker knows of them beside their addresses. */
export function sameFacts(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.weight === other.weight &&
      one.priority === other.priority &&
      one.zone === other.zone &&
      one.region === other.region &&
      sameMetadata(one.metadata, other.metadata))
  );
}

/** Whether two endpoints have the same metadata. Absent and empty metadata are the same. */
export function sameMetadata(one: Endpoint["metadata"] = {}, other: Endpoint["metadata"] = {}): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key]);
}
