import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls, type SecureContext } from "node:tls";
import { MeshError } from "../core/errors.ts";
import { outcomeOfResponse } from "../core/outcome.ts";
import type { Lease } from "./lease.ts";
import { parseTarget } from "./target.ts";

/** What {@link MeshAgent} needs of its mesh. */
export interface AgentTarget {
  /** An instance of the service, counted as busy until it is settled. */
  lease(service: string): Promise<Lease>;
  readonly secureContext: SecureContext | undefined;
  readonly serverName: string | undefined;
}

/** What an agent passes around between `addRequest` and `createConnection`. */
interface RequestOptions extends ClientRequestArgs {
  /** The instance speaks TLS. */
  isSecureUpstream?: boolean;
}

/** `http.Agent` as Node's own subclasses use it: the method is there and has been since 2013, the types leave it out. */
interface AgentInternals {
  addRequest(request: ClientRequest, options: RequestOptions): void;
  createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined;
}

const internals = Agent.prototype as unknown as AgentInternals;

/**
 * The mesh as an `http.Agent`, for clients that are built on `node:http` (axios, got, node-fetch): the host of each request is the
 * service, the balancer chooses the instance, its breaker learns the outcome. The client sends the request itself, so nothing is
 * retried and no deadline is set.
 */
export class MeshAgent extends Agent {
  readonly #target: AgentTarget;

  constructor(target: AgentTarget, options: AgentOptions = {}) {
    super({ keepAlive: true, ...options });
    this.#target = target;
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    const host = String(options.host ?? options.hostname ?? "");
    // The client says 80 when its caller said nothing.
    const target = options.port === undefined || options.port === null || Number(options.port) === 80 ? host : `${host}:${options.port}`;
    this.#send(request, options, target).catch((error: unknown) => request.destroy(error as Error));
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined {
    if (!options.isSecureUpstream) return internals.createConnection.call(this, options, callback);
    const { secureContext, serverName } = this.#target;
    return connectTls({
      host: options.host as string,
      port: Number(options.port),
      ...(secureContext === undefined ? undefined : { secureContext }),
      ...(serverName === undefined ? undefined : { servername: serverName }),
    });
  }

  async #send(request: ClientRequest, options: RequestOptions, target: string): Promise<void> {
    const { service } = parseTarget(target);
    const lease = await this.#target.lease(service);
    if (request.destroyed) {
      lease.settle("neutral");
      return;
    }
    const { endpoint } = lease.upstream;
    follow(request, lease);
    internals.addRequest.call(this, request, {
      ...options,
      host: endpoint.host,
      hostname: endpoint.host,
      port: endpoint.port,
      isSecureUpstream: endpoint.secure ?? false,
    });
  }
}

/** Tells the lease how the request ended, once. */
function follow(request: ClientRequest, lease: Lease): void {
  let hasConnected = false;
  request.once("socket", (socket) => {
    hasConnected = !socket.connecting;
    socket.once("connect", () => {
      hasConnected = true;
    });
  });
  let hasResponse = false;
  request.once("response", (response) => {
    hasResponse = true;
    const outcome = outcomeOfResponse({ status: response.statusCode ?? 0 });
    // Closed before it was complete: cut off by the instance, or given up by the client, which destroys the request first.
    response.once("close", () => lease.settle(response.complete ? outcome : request.destroyed ? "neutral" : "failure"));
  });
  request.once("upgrade", (_response, socket) => socket.once("close", () => lease.settle("success")));
  request.once("error", (error) => {
    // What the mesh itself refused, and what the client gave up, says nothing about the instance.
    const isOurs = error instanceof MeshError || request.reusedSocket || error.name === "AbortError";
    lease.settle(isOurs ? "neutral" : "failure", !hasConnected);
  });
  request.once("close", () => {
    if (!hasResponse) lease.settle("neutral");
  });
}
