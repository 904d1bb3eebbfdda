import type { Discovery, DiscoveryAnswer } from "../discovery/discovery.ts";
import { keepRegistered } from "../registration/keep-registered.ts";
import type { Instance, Registrar, Registration, RegistrationOwner } from "../registration/registrar.ts";
import { askCancellations } from "./eureka/cancellations.ts";
import { describeInstance } from "./eureka/description.ts";
import { fetchApplication, fetchRegistry } from "./eureka/fetch-registry.ts";
import { EurekaLease } from "./eureka/lease.ts";
import { type EurekaOptions, settingsOf } from "./eureka/options.ts";
import { loadPackage } from "./eureka/package.ts";
import { RegistryCopies } from "./eureka/registry-copies.ts";
import { Servers } from "./eureka/servers.ts";
import { watchService } from "./eureka/watch.ts";

export type { EurekaOptions, EurekaTls } from "./eureka/options.ts";

/** Eureka servers as discovery and registrar. */
export interface Eureka extends Discovery, Registrar {
  /** `eureka at http://127.0.0.1:8761/eureka`, without credentials. */
  readonly name: string;
  /** Yields the instances of `service` that are UP, in every copy of the registry that is fetched. */
  watch(service: string, signal: AbortSignal): AsyncGenerator<DiscoveryAnswer, void, undefined>;
  /** Fetches the registry again soon. */
  refresh(service: string): void;
  /** Application names in lower case, as Spring's client lists them; with `by: "vip"` the virtual host names. */
  services(signal: AbortSignal): Promise<readonly string[]>;
  /** Resolves once a server has accepted the instance, then keeps its lease. */
  register(instance: Instance, signal?: AbortSignal, owner?: RegistrationOwner): Promise<Registration>;
  /** Ends every running watch and drops the copy of the registry. Registrations stay until they are disposed. */
  close(): void;
}

/**
 * Discovers and registers through Netflix Eureka, by default at `http://127.0.0.1:8761/eureka`. Needs the npm package `eureka-js-client`.
 * Throws a `TypeError` or `RangeError` on wrong options; does not connect yet.
 */
export function eureka(options: EurekaOptions = {}): Eureka {
  const settings = settingsOf(options);
  const Package = loadPackage();
  const { addresses, serverOrder, requestTimeoutMs, maxBodyBytes, tls, leaseMs, clock, random } = settings;
  const limits = { timeoutMs: requestTimeoutMs, maxBytes: maxBodyBytes };
  const servers = new Servers(addresses, { ...limits, tls, clock, order: serverOrder, random });
  const copies = new RegistryCopies({
    ...settings,
    fetchAll: (call) => fetchRegistry(Package, servers, settings, call),
    fetchOne: settings.by === "app" ? (app, call) => fetchApplication(servers, app, settings, call) : undefined,
  });
  const sources = { copies, cancellations: (signal: AbortSignal) => askCancellations(servers, signal), by: settings.by };
  const watches = new Set<AbortController>();
  return {
    name: settings.name,
    async *watch(service, signal) {
      if (signal.aborted) return;
      const watch = new AbortController();
      const onAbort = (): void => watch.abort(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      watches.add(watch);
      try {
        yield* watchService(service, sources, watch.signal);
      } finally {
        watches.delete(watch);
        signal.removeEventListener("abort", onAbort);
      }
    },
    refresh: (service) => copies.refresh(service),
    services: async (signal) => (await copies.all(signal)).services(),
    callersKnowAfterMs: settings.callersKnowAfterMs,
    check: (instance) => void describeInstance(instance, leaseMs),
    async register(instance, signal, owner) {
      const lease = new EurekaLease({ ...settings, Package, servers, description: describeInstance(instance, leaseMs) });
      return await keepRegistered(lease, { ...settings, initialStatus: instance.initialStatus, owner }, signal);
    },
    close() {
      for (const watch of watches) watch.abort();
      copies.forget();
    },
  };
}
