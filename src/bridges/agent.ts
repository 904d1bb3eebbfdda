import { errorMonitor } from "node:events";
import type { AgentOptions, ClientRequest, ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Lease } from "../attempts/lease.ts";
import { MeshError } from "../core/errors.ts";
import { outcomeOfResponse } from "../core/outcome.ts";
import { parseTarget } from "../fetch/target.ts";
import { type ClientIdentity, tlsConnectOptions } from "../wire/client-identity.ts";
import { nodeHttp } from "../wire/node-http.ts";

/** The mesh, as far as a {@link MeshAgent} uses it. */
export interface AgentTarget {
  /** Picks an instance for a request of this method to this path. The request is in flight there until the lease is settled. */
  lease(service: string, method: string, path: string): Promise<Lease>;
  readonly identity: ClientIdentity;
}

/** The options that an agent passes from `addRequest` to `createConnection`. */
interface RequestOptions extends ClientRequestArgs {
  /** Whether the instance speaks TLS. */
  isSecureUpstream?: boolean;
  /** The version of the identity when the request was made. */
  identityVersion?: number;
}

/** The method of `http.ClientRequest` by which agents hand over a socket, since 2013; the types omit it. */
interface RequestInternals {
  onSocket(socket: null, error: Error | undefined): void;
}

/** The methods of `http.Agent` that the types omit. */
interface AgentInternals {
  addRequest(request: ClientRequest, options: RequestOptions): void;
  createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined;
}

/** `http.Agent`. */
const Agent: typeof nodeHttp.Agent = nodeHttp.Agent;
const internals = Agent.prototype as unknown as AgentInternals;

/**
 * The mesh as an `http.Agent`, for clients on `node:http` (axios, got, node-fetch). The host of each request is the service; the balancer
 * picks the instance, whose circuit learns the outcome. The client sends the request itself, so that nothing is retried and the mesh sets
 * no deadline.
 */
export class MeshAgent extends Agent {
  readonly #target: AgentTarget;
  /** The version of the identity at the request for which each TLS connection was made. */
  readonly #versions = new WeakMap<Duplex, number>();
  /** The version at the last request. */
  #version: number;

  constructor(target: AgentTarget, options: AgentOptions = {}) {
    super({ keepAlive: true, ...options });
    this.#target = target;
    this.#version = target.identity.version;
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    const host = String(options.host ?? options.hostname ?? "");
    // The client uses port 80 where its caller gives none.
    const target = options.port === undefined || options.port === null || Number(options.port) === 80 ? host : `${host}:${options.port}`;
    this.#send(request, options, target).catch((error: unknown) => end(request, error as Error));
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined {
    if (!options.isSecureUpstream) return internals.createConnection.call(this, options, callback);
    const { identity } = this.#target;
    const socket = connectTls({
      ...(options.socketPath ? { path: options.socketPath } : { host: options.host as string, port: Number(options.port) }),
      ...tlsConnectOptions(identity),
    });
    this.#versions.set(socket, options.identityVersion ?? identity.version);
    return socket;
  }

  /**
   * Requests share connections of the same name: with the version in it, those of an earlier identity take no new request. It is that of the
   * request, since `http.Agent` finds a connection by its name until it has closed.
   */
  override getName(options?: RequestOptions): string {
    const name = super.getName(options);
    return options?.isSecureUpstream ? `${name}:${options.identityVersion}` : name;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return !this.#isOutdated(socket) && Boolean(super.keepSocketAlive(socket));
  }

  #isOutdated(socket: Duplex): boolean {
    const version = this.#versions.get(socket);
    return version !== undefined && version !== this.#target.identity.version;
  }

  /** Closes the idle connections of an earlier identity, which no request would use again. */
  #closeOutdated(): void {
    const { version } = this.#target.identity;
    if (version === this.#version) return;
    this.#version = version;
    for (const socket of Object.values(this.freeSockets).flatMap((sockets) => sockets ?? []))
      if (this.#isOutdated(socket)) socket.destroy();
  }

  async #send(request: ClientRequest, options: RequestOptions, target: string): Promise<void> {
    const { service } = parseTarget(target);
    this.#closeOutdated();
    const lease = await this.#target.lease(service, request.method, request.path);
    if (request.destroyed) {
      lease.settle("neutral");
      end(request, undefined);
      return;
    }
    const { endpoint } = lease.upstream;
    follow(request, lease);
    internals.addRequest.call(this, request, {
      ...options,
      host: endpoint.host,
      hostname: endpoint.host,
      port: endpoint.port,
      socketPath: endpoint.socketPath,
      isSecureUpstream: endpoint.secure ?? false,
      identityVersion: this.#target.identity.version,
    });
  }
}

/** Ends a request without a socket: after `destroy` alone it would go on waiting for one. */
function end(request: ClientRequest, error: Error | undefined): void {
  (request as unknown as RequestInternals).onSocket(null, error);
  if (error !== undefined) request.destroy(error);
}

/**
 * Settles the lease with the outcome of the request, once. Its listeners change nothing for the client: without a listener of its own, the error
 * of a request is still thrown, its response dropped, and its upgrade refused.
 */
function follow(request: ClientRequest, lease: Lease): void {
  let hasConnected = false;
  let isAnswered = false;
  let isCutOff = false;
  request.once("socket", (socket) => {
    hasConnected = !socket.connecting;
    // A kept connection emits no further `connect`: a listener for each request would stay on it.
    if (hasConnected) return;
    socket.once("connect", () => {
      hasConnected = true;
    });
  });
  request.once("finish", () => lease.sent());
  request.prependOnceListener("response", (response) => {
    isAnswered = true;
    lease.head(response.statusCode ?? 0, lowerCased(response.rawHeaders));
    const outcome = outcomeOfResponse({ status: response.statusCode ?? 0 });
    const { socket } = response;
    // The instance has ended or reset the connection. Where the client gives up, its socket only closes.
    const onCutOff = (error?: Error) => {
      isCutOff ||= error === undefined || "syscall" in error;
    };
    socket.once("end", onCutOff);
    socket.once("error", onCutOff);
    response.once("close", () => {
      socket.off("end", onCutOff);
      socket.off("error", onCutOff);
      lease.settle(response.complete ? outcome : isCutOff ? "failure" : "neutral");
    });
    if (request.listenerCount("response") === 0) response.resume();
  });
  request.prependOnceListener("upgrade", (response, socket) => {
    isAnswered = true;
    lease.head(response.statusCode ?? 101, lowerCased(response.rawHeaders));
    socket.once("close", () => lease.settle("success"));
    if (request.listenerCount("upgrade") === 0) socket.destroy();
  });
  request.once(errorMonitor, (error: Error) => {
    // No evidence about the instance: the client has given up, or a kept connection had been closed meanwhile.
    const isOurs = error instanceof MeshError || request.reusedSocket || !isOfTheConnection(error, request);
    if (!isAnswered) lease.settle(isOurs ? "neutral" : "failure", !hasConnected);
  });
  request.once("close", () => {
    if (!isAnswered) lease.settle("neutral");
  });
}

function lowerCased(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
}

const connectionCode = /^(HPE_|ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Whether an error is one of a socket, of TLS or of the HTTP parser, and not one with which the client gave up its request. */
function isOfTheConnection(error: Error, request: ClientRequest): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // "socket hang up" is the error of a connection that the instance has ended, and of a request that the client has destroyed.
  if (code === "ECONNRESET" && syscall === undefined) return request.socket?.readableEnded ?? false;
  return syscall !== undefined || (typeof code === "string" && connectionCode.test(code));
}
