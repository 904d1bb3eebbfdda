import type { AgentOptions, ClientRequest, ClientRequestArgs } from "node:http";
import nodeHttp from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Lease } from "../attempts/lease.ts";
import { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { callerHeader, onceMark, requestHeadersOfTheMesh } from "../core/http/own-headers.ts";
import { type RequestHeaders, requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { Upstream } from "../core/upstream.ts";
import { parseOrigin } from "../fetch/target.ts";
import type { IdleSockets } from "../wire/idle-sockets.ts";
import type { InstanceConnector } from "../wire/instance-connector.ts";
import { connectionFailed, follow } from "./request-outcome.ts";
import { addAuthorization, hasAuthorization } from "./token-header.ts";
import { endWithoutSocket, onDestroyedWaiting } from "./waiting-request.ts";

/** A service, as far as a {@link MeshAgent} uses it. */
export interface AgentService {
  readonly wire: WireSettings;
  /** The name of the mesh towards instances; `undefined` where they are told none. */
  readonly caller: string | undefined;
  /** Picks an instance for a request, which has a token of its own or gets that of the service. It is in flight there until the lease is settled. */
  lease(request: MeshRequest, hasOwnToken: boolean): Promise<Lease>;
}

/** The mesh, as far as a {@link MeshAgent} uses it. */
export interface AgentTarget {
  /** The service of this name. Throws where it may not be called. */
  serviceOf(name: string): AgentService | Promise<AgentService>;
  /** The request as its route sends it; absent without routes. Throws for a route that an agent cannot apply. */
  readonly route?: ((request: MeshRequest) => MeshRequest | Promise<MeshRequest>) | undefined;
  readonly connector: InstanceConnector;
  readonly idle: IdleSockets;
  readonly clock: Clock;
}

/** The instance that an agent passes from `addRequest` to `createConnection`. */
interface Destination {
  readonly upstream: Upstream;
  readonly wire: WireSettings;
  /** The version of the identity when the request was made. */
  readonly version: number;
  /** Gives up the connection that is being made for the request. */
  giveUp: () => void;
}

/** The options that an agent passes on. */
interface RequestOptions extends ClientRequestArgs {
  destination?: Destination;
  _agentKey?: string;
}

/** The members of `http.Agent` that the types omit. */
interface AgentInternals {
  addRequest(request: ClientRequest, options: RequestOptions): void;
  removeSocket(socket: Duplex, options: RequestOptions): void;
  totalSocketCount: number;
  readonly options: AgentOptions;
}

type Sockets = Record<string, Duplex[] | undefined>;

/** `http.Agent`. */
const Agent: typeof nodeHttp.Agent = nodeHttp.Agent;
const internals = Agent.prototype as unknown as AgentInternals;

/**
 * The mesh as an `http.Agent`, for clients on `node:http` (axios, got, node-fetch). The host of each request is the service; the balancer
 * picks the instance, whose circuit learns the outcome. The client sends the request itself, so that nothing is retried and the mesh sets
 * no deadline. Its connections keep the rules of the pools.
 */
export class MeshAgent extends Agent {
  readonly #target: AgentTarget;
  /** Where each connection leads, and the time at which it was made. */
  readonly #connections = new WeakMap<Duplex, Destination & { readonly openedAt: number }>();
  /** The version of the identity at the last request. */
  #version: number;

  constructor(target: AgentTarget, options: AgentOptions = {}) {
    super({ keepAlive: true, ...options });
    this.#target = target;
    this.#version = target.connector.identity.version;
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    this.#send(request, options).catch((error: unknown) => endWithoutSocket(request, error as Error));
  }

  override createConnection(options: RequestOptions, callback: (error: Error | null, stream: Duplex) => void): undefined {
    const destination = options.destination as Destination;
    const { upstream, wire } = destination;
    const place = this.#reserve(options);
    const giveUp = this.#target.connector.open(upstream, wire, { alpn: ["http/1.1"] }, (error, socket) => {
      if (error !== null) {
        callback(error === destroyed ? error : connectionFailed(error), undefined as unknown as Duplex);
        // Once the request has failed: its place goes to one that waits.
        setImmediate(place.leave);
        return;
      }
      place.take();
      this.#connections.set(socket, { ...destination, openedAt: this.#target.clock.now() });
      if (options.timeout !== undefined) socket.setTimeout(options.timeout);
      socket.once("close", () => this.#target.idle.remove(upstream, socket));
      callback(null, socket);
    });
    destination.giveUp = () => giveUp(destroyed);
    place.socket.once("close", destination.giveUp);
    return undefined;
  }

  /** Requests share connections of the same name: those to one instance of one service, made with one version of the identity. */
  override getName(options?: RequestOptions): string {
    const { upstream, version } = options?.destination ?? {};
    if (upstream === undefined) return super.getName(options);
    return `${upstream.service}:${upstream.origin}:${upstream.address}:${upstream.endpoint.secure ? version : ""}`;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const connection = this.#connections.get(socket);
    if (connection === undefined || this.#isOutdated(connection)) return false;
    const { upstream, wire, openedAt } = connection;
    const { maxAgeMs, maxIdleMs, isolation } = wire.connections;
    if (isolation === "per-request" || this.#target.clock.now() - openedAt > maxAgeMs) return false;
    // The types say that it returns nothing.
    if (!(super.keepSocketAlive(socket) as unknown) || !this.#target.idle.add(upstream, socket)) return false;
    // `http.Agent` destroys a socket that times out while it is idle.
    if (socket instanceof Socket) socket.setTimeout(Math.min(socket.timeout || maxIdleMs, maxIdleMs));
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) this.#target.idle.remove(connection.upstream, socket);
    if (socket instanceof Socket) socket.setTimeout((this as unknown as AgentInternals).options.timeout ?? 0);
    super.reuseSocket(socket, request);
  }

  #isOutdated({ upstream, version }: Destination): boolean {
    return upstream.endpoint.secure === true && version !== this.#target.connector.identity.version;
  }

  /** Closes the idle connections of an earlier identity, which no request would use again. */
  #closeOutdated(): void {
    const { version } = this.#target.connector.identity;
    if (version === this.#version) return;
    this.#version = version;
    for (const socket of Object.values(this.freeSockets).flatMap((sockets) => sockets ?? [])) {
      const connection = this.#connections.get(socket);
      if (connection !== undefined && this.#isOutdated(connection)) socket.destroy();
    }
  }

  async #send(request: ClientRequest, options: RequestOptions): Promise<void> {
    const origin = originOf(options);
    const { service: name, requiresTls } = parseOrigin(origin, request.path);
    const cancellation = new Cancellation();
    onDestroyedWaiting(request, () => cancellation.cancel(destroyed));
    const { route } = this.#target;
    const asked = meshRequest({
      service: name,
      requiresTls,
      method: request.method,
      path: request.path,
      headers: route === undefined ? {} : headersOf(request),
      body: undefined,
      cancellation,
    });
    const decided = route === undefined ? asked : route(asked);
    // At once where the service is known: a client that ends its request in the same turn writes its headers then.
    const routed = decided instanceof Promise ? await decided : decided;
    const found = this.#target.serviceOf(routed.service);
    const service = found instanceof Promise ? await found : found;
    const { wire } = service;
    setHeaders(request, service);
    this.#closeOutdated();
    // `authorize` knows no headers of an agent: they may be written already.
    const lease = await service.lease(route === undefined ? routed : { ...routed, headers: {} }, hasAuthorization(request));
    if (request.destroyed) {
      lease.settle("neutral");
      return;
    }
    const { upstream, authorization } = lease;
    try {
      if (authorization !== undefined && !hasAuthorization(request)) addAuthorization(request, routed.service, authorization);
    } catch (error) {
      lease.settle("neutral");
      throw error;
    }
    const { host, port } = upstream.endpoint;
    follow(request, lease, origin);
    const destination: Destination = { upstream, wire, version: this.#target.connector.identity.version, giveUp: () => {} };
    cancellation.onCancel(() => {
      this.#leaveQueue(request);
      destination.giveUp();
    });
    internals.addRequest.call(this, request, { ...options, host, hostname: host, port, socketPath: undefined, destination });
  }

  /** Takes a request that was destroyed out of those that wait for a connection. */
  #leaveQueue(request: ClientRequest): void {
    const requests = this.requests as Record<string, ClientRequest[] | undefined>;
    for (const [name, waiting] of Object.entries(requests)) {
      const left = waiting?.filter((each) => each !== request) ?? [];
      if (left.length > 0) requests[name] = left;
      else delete requests[name];
    }
  }

  /** Reserves a place for a connection that is being made: `http.Agent` counts sockets against its limits and ends them with itself. */
  #reserve(options: RequestOptions) {
    const socket = new Socket();
    const name = options._agentKey ?? this.getName(options);
    const all = this.sockets as Sockets;
    const agent = this as unknown as AgentInternals;
    all[name] = [...(all[name] ?? []), socket];
    agent.totalSocketCount++;
    return {
      socket,
      /** The connection comes in its place. */
      take: () => {
        agent.totalSocketCount--;
        const left = all[name]?.filter((each) => each !== socket) ?? [];
        if (left.length > 0) all[name] = left;
        else delete all[name];
      },
      /** There is no connection: `http.Agent` makes one for the next request that waits. */
      leave: () => {
        agent.totalSocketCount--;
        const requests = this.requests as Record<string, ClientRequest[] | undefined>;
        const waiting = requests[name]?.filter((each) => !each.destroyed && !each.closed) ?? [];
        if (waiting.length > 0) requests[name] = waiting;
        else delete requests[name];
        internals.removeSocket.call(this, socket, options);
      },
    };
  }
}

/** The origin of a request: its host, and its port where the caller has given one. */
function originOf({ host, hostname, port, protocol }: RequestOptions): string {
  const isSecure = protocol === "https:";
  const name = String(host ?? hostname ?? "");
  // The client uses the port of its scheme where its caller gives none.
  const isDefault = port === undefined || port === null || Number(port) === (isSecure ? 443 : 80);
  return `${isSecure ? "https" : "http"}://${isDefault ? name : `${name}:${port}`}`;
}

/** The headers of a request that has any in a form that can be read: those of an array are on their way. */
function headersOf(request: ClientRequest): RequestHeaders {
  const given = Object.entries(request.getHeaders()).map(([name, value]) => [name, [value].flat().join(", ")]);
  return requestHeaders(Object.fromEntries(given));
}

/** Sets the name of the service to its instances and that of the mesh, and removes the headers of the mesh that the caller may have copied. */
function setHeaders(request: ClientRequest, { wire, caller }: AgentService): void {
  // Headers that were given as an array are written already.
  if (request.headersSent) return;
  if (wire.peer.name !== undefined) request.setHeader("host", wire.peer.name);
  for (const name of requestHeadersOfTheMesh) request.removeHeader(name);
  if (caller !== undefined) request.setHeader(callerHeader, `${caller}${onceMark}`);
}

/** The end of a connection that is not wanted any more. */
const destroyed = new Error("the agent was destroyed");
