import type { PolicySource } from "../authorization/sources/policy-source.ts";
import type { Discovery, DiscoveryAnswer } from "../discovery/discovery.ts";
import { RefreshListeners } from "../discovery/refresh-listeners.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import { keepRegistered } from "../registration/keep-registered.ts";
import type { Instance, Registrar, Registration, RegistrationOwner } from "../registration/registrar.ts";
import type { CanaryState } from "../routing/canary/canary-state.ts";
import type { RouteSource } from "../routing/route-source.ts";
import { AgentEntry } from "./consul/agent-entry.ts";
import { listServices } from "./consul/catalogue.ts";
import { connectIdentity } from "./consul/connect/ca-source.ts";
import { connectIntentions } from "./consul/connect/intentions/intention-source.ts";
import { TrustDomain } from "./consul/connect/trust-domain.ts";
import { definitionOf } from "./consul/definition.ts";
import { ConsulClient } from "./consul/http/client.ts";
import { canaryKeys } from "./consul/kv/canary-keys.ts";
import { policyKey } from "./consul/kv/policy-key.ts";
import { routeKey } from "./consul/kv/route-key.ts";
import { type ConsulOptions, settingsOf } from "./consul/options.ts";
import { watchPreparedQuery } from "./consul/prepared-query.ts";
import { type SharedWatches, watchService } from "./consul/watch.ts";

export type { ConsulTls } from "./consul/http/consul-tls.ts";
export type { ConsulToken } from "./consul/http/token.ts";
export type { ConsulConsistency, ConsulOptions } from "./consul/options.ts";

/** A Consul agent as discovery and registrar. */
export interface Consul extends Discovery, Registrar {
  /** `consul at http://127.0.0.1:8500`. */
  readonly name: string;
  /** Yields the routable instances of `service`: at once, after every change, and to confirm them after every wait. */
  watch(service: string, signal: AbortSignal): AsyncGenerator<DiscoveryAnswer, void, undefined>;
  /** Queries the instances of `service` without waiting for a change, where it is watched. */
  refresh(service: string): void;
  /** The names of all services in the datacentre. */
  services(signal: AbortSignal): Promise<readonly string[]>;
  /** Resolves once the agent has accepted the instance, then keeps it registered. */
  register(instance: Instance, signal?: AbortSignal, owner?: RegistrationOwner): Promise<Registration>;
  /** The identity of a service in a Consul Connect mesh, from the authority of Consul: its certificate, renewed, and all authorities of the mesh. */
  identity(service: string): IdentitySource;
  /** The intentions about callers of `service`, as the `source` of the `authorization` of its server, which they are kept up to date for. */
  intentions(service: string): PolicySource;
  /** The policy that is the value of a key in Consul's store, in JSON or YAML, as such a `source`. */
  policy(key: string): PolicySource;
  /**
   * Where several processes take one decision on the canaries of their routes: below the key `prefix` of Consul's store, which the token must be able to write,
   * by a session of each process. @param prefix default: `inmesh/canaries`
   */
  canaryState(prefix?: string): CanaryState;
  /** Routes that are the value of a key in Consul's store, in JSON or YAML, as the `routes` of a mesh. */
  routes(key: string): RouteSource;
  /** Ends every running watch and closes idle connections. Registrations stay until they are disposed. */
  close(): Promise<void>;
}

/**
 * Discovers and registers through a Consul agent, by default at `http://127.0.0.1:8500`. Needs the npm package `consul`. Throws a `TypeError`
 * or `RangeError` on wrong options; does not connect yet.
 */
export function consul(options: ConsulOptions = {}): Consul {
  const settings = settingsOf(options);
  const client = new ConsulClient(settings);
  const watches = new Set<AbortController>();
  const trustDomain = settings.connect ? new TrustDomain(client, settings) : undefined;
  const shared: SharedWatches = { blockingQueries: 0, failures: 0, lineages: new Map(), hints: new RefreshListeners(), trustDomain };
  return {
    name: settings.name,
    async *watch(service, signal) {
      const watch = new AbortController();
      const onAbort = (): void => watch.abort(signal.reason);
      if (signal.aborted) return;
      signal.addEventListener("abort", onAbort, { once: true });
      watches.add(watch);
      try {
        const { preparedQuery } = settings;
        yield* preparedQuery === undefined
          ? watchService(service, watch.signal, client, settings, shared)
          : watchPreparedQuery(service, watch.signal, client, { ...settings, preparedQuery }, shared.hints);
      } finally {
        watches.delete(watch);
        signal.removeEventListener("abort", onAbort);
        // close() may never be called.
        if (watches.size === 0) client.closeIdle();
      }
    },
    refresh: (service) => shared.hints.notify(service),
    services: (signal) => listServices(client, settings, signal),
    callersKnowAfterMs: settings.callersKnowAfterMs,
    check: (instance) => void definitionOf(instance, settings.deregisterAfterMs, settings.connect),
    async register(instance, signal, owner) {
      const entry = new AgentEntry(client, definitionOf(instance, settings.deregisterAfterMs, settings.connect), settings);
      return await keepRegistered(entry, { ...settings, initialStatus: instance.initialStatus, owner }, signal);
    },
    identity: (service) => connectIdentity(settings, service),
    intentions: (service) => connectIntentions(settings, service),
    policy: (key) => policyKey(settings, key),
    canaryState: (prefix = "inmesh/canaries") => canaryKeys(settings, prefix),
    routes: (key) => routeKey(settings, key),
    async close() {
      for (const watch of watches) watch.abort();
      client.closeIdle();
    },
  };
}
