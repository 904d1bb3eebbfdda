import type { Agent, AgentOptions } from "node:http";
import type { AnyDispatcher, DispatcherOptions } from "../../bridges/dispatcher.ts";
import type { Observer } from "../../core/observing/observer.ts";
import type { CanaryReading } from "../../core/observing/routes/canary-reading.ts";
import type { Reply } from "../../fetch/reply.ts";
import type { FetchTarget, MeshRequestInit } from "../../fetch/request-init.ts";
import type { MeshRegistration } from "../../registration/mesh-registration.ts";
import type { RegisterOptions } from "../../registration/register-options.ts";
import type { CanaryControl } from "../../routing/canary/canary-control.ts";
import type { RouteExplanation } from "../../routing/route-explanation.ts";
import type { ServiceExplanation } from "../explanation.ts";
import type { ChangedOptions } from "../mesh-options.ts";
import type { WarmOptions } from "../warm-up.ts";

/**
 * The client side of a service mesh, in this process. `Declared`: the services (`"users" | "orders"`) and whole targets
 * (`` `users/${number}` ``) that may be called, which the compiler checks.
 */
export interface Mesh<Declared extends string = string> extends AsyncDisposable {
  /**
   * Calls a service by `service/path`, otherwise like the global `fetch`. Discovery gives the instances, the balancer picks one, and an attempt
   * that fails is repeated on another instance where that is safe.
   *
   * Resolves with a standard `Response`, whatever its status, as soon as its head has arrived. Rejects with a `MeshError`, whose
   * `maybeExecuted` says whether an instance may have executed the request; with the reason of the signal when the caller aborts; and with a
   * `TypeError` or `RangeError` for wrong arguments.
   */
  fetch(target: FetchTarget<Declared>, init?: MeshRequestInit | RequestInit): Promise<Response>;
  /**
   * Calls a service like {@link Mesh.fetch}, and resolves with `{ statusCode, headers, body, trailers }` at less cost than a `Response`. The body is as it
   * came over the wire, not decoded; a redirect is a reply like any other. Read the body, discard it or cancel it.
   */
  request(target: FetchTarget<Declared>, init?: Omit<MeshRequestInit, "redirect"> | RequestInit): Promise<Reply>;
  /**
   * The mesh as an undici `Dispatcher`. With `setGlobalDispatcher(mesh.dispatcher())`, plain `fetch("http://service/path")` goes through the
   * mesh, and so do `request`, `stream`, `pipeline` and `WebSocket` of undici. Closing the dispatcher closes the mesh.
   */
  dispatcher(options?: DispatcherOptions): AnyDispatcher;
  /**
   * The mesh as an `http.Agent`, for clients on `node:http` (axios, got, node-fetch): the host of a request is the service. It picks instances and
   * their breakers learn the outcomes; it does not retry, and sets no deadline.
   */
  agent(options?: AgentOptions): Agent;
  /**
   * Registers this process as an instance of a service, through `registrar`, or through the discovery adapter where that is a registrar.
   * Resolves once a registry has it, or at once with `keepTrying`, and keeps it registered until `deregister()` or {@link close}.
   * @throws MeshError `ERR_MESH_REGISTRATION` when no registry takes it; TypeError or RangeError for wrong input, and without a registrar.
   */
  register(instance: RegisterOptions, signal?: AbortSignal): Promise<MeshRegistration>;
  /**
   * Connects to instances of a service ahead of the first call, without sending anything; to be called before this process accepts requests. It
   * waits for the first answer of discovery (`discoveryTimeoutMs`) and for each connection (`connections.connectTimeoutMs`). Resolves with the
   * number of instances that are connected; an instance that cannot be reached is no error.
   * @throws MeshError `ERR_MESH_INVALID_TARGET` for a wrong name, `ERR_MESH_CLOSED`; TypeError or RangeError for wrong options.
   */
  warm(service: string, options?: WarmOptions): Promise<number>;
  /** The names of the services that are watched: those that were called, within the bounds of `maxServices`. */
  services(): readonly string[];
  /**
   * Explains for each endpoint of a service why it is a candidate or is none, and how old the data is; `undefined` for a service that is
   * not watched.
   */
  explain(service: string): ServiceExplanation | undefined;
  /**
   * Explains which rule of `routes` decides on a call, and why no earlier one does. Takes the arguments of {@link Mesh.fetch}; nothing is sent. Rejects as a call
   * does for wrong arguments, and with `ERR_MESH_ROUTE` where the source of the routes has told of none within 10 seconds.
   */
  route(target: FetchTarget<Declared>, init?: MeshRequestInit | RequestInit): Promise<RouteExplanation>;
  /**
   * Takes the instance with this id out of rotation for `forMs` milliseconds (at most a day), or until {@link readmit}. Limits of `ejection` do
   * not apply; while no other instance is left, it is called all the same. Returns `false` for a service that is not watched, and for an
   * unknown id.
   * @throws TypeError or RangeError for a wrong `forMs`.
   */
  eject(service: string, endpointId: string, options: { readonly forMs: number }): boolean;
  /** Puts an instance back into rotation at once, also one that a rule of ejection has taken out. Returns `false` as {@link eject} does. */
  readmit(service: string, endpointId: string): boolean;
  /** The canary of a rule, to be rolled back or begun anew by an operator; `undefined` where no rule of that name has one. */
  canary(rule: string): CanaryControl | undefined;
  /** The state, the shares and the counts of every canary. */
  canaries(): readonly CanaryReading[];
  /**
   * Puts other options in force while the mesh runs: those that are given replace those before as in `createMesh`, `undefined` stands for the default, and all
   * others stay. All of it happens in one step, or nothing. Calls in flight end by the configuration that they began by, and no call is lost; instances, their
   * statistics and circuits, what is in flight and what waits in queues stay. Returns the names of the options that differ.
   * @throws TypeError or RangeError for wrong options and for those that only a new mesh takes, such as `discovery`; MeshError `ERR_MESH_CLOSED`.
   */
  reconfigure(options: ChangedOptions): readonly string[];
  /**
   * Adds an observer to those of the options, for calls that begin from now on. Returns a function that removes it, which calls its `onClose`, as
   * closing the mesh does.
   */
  observe(observer: Observer): () => void;
  /**
   * Deregisters what {@link register} has registered, first and within 5 seconds, and refuses new calls. Waits for those in flight for at most
   * `drainTimeoutMs`, ends the rest, and releases all resources. Idempotent.
   */
  close(): Promise<void>;
}
