import type { BalancingOptions } from "../../balancer/balancing-options.ts";
import { endpointsFor, type WireSettings } from "../../core/connection-options.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { ZoneCounts } from "../../discovery/caller-zones.ts";
import { type ServiceWatch, serviceWatch } from "../../discovery/service-watch.ts";
import type { Uses } from "../../discovery/watching/uses.ts";
import type { ServiceOptions } from "../service-options.ts";
import type { ServiceContext } from "./service-context.ts";

/** A service whose endpoints are watched, and the part that takes them. */
export interface EndpointTaker {
  readonly service: string;
  readonly options: ServiceOptions;
  readonly wire: WireSettings;
  readonly context: ServiceContext;
  /** Takes the complete set; `unconfirmed`: those of it that discovery's last answer leaves out. */
  readonly take: (endpoints: readonly Endpoint[], unconfirmed: readonly Endpoint[]) => void;
}

/** Makes the watch of the endpoints of a service, without starting it. */
export function watchEndpoints({ service, options, wire, context, take }: EndpointTaker): ServiceWatch {
  const { discovery, lastGood, observers, onListed, clock, random } = context;
  let listed: { readonly from: readonly Endpoint[]; readonly as: readonly Endpoint[] } | undefined;
  /** The endpoints as the mode of `peer` has them, in the same array for the same array. */
  const spokenTo = (endpoints: readonly Endpoint[]): readonly Endpoint[] => {
    if (listed?.from !== endpoints) listed = { from: endpoints, as: endpointsFor(wire.peer.mode, endpoints) };
    return listed.as;
  };
  const watch: ServiceWatch = serviceWatch(options, {
    service,
    discovery,
    lastGood,
    clock,
    random,
    onUpdate: (given) => {
      const update = { ...given, endpoints: spokenTo(given.endpoints) };
      take(update.endpoints, watch.watcher.unconfirmed);
      if (update.endpoints.length > 0) onListed?.(service);
      observers.emit?.({ type: "endpoints", ...update });
    },
    onError: (error) => observers.emit?.({ type: "discovery-error", service, error }),
  });
  return watch;
}

/**
 * Follows the callers in each zone, where the options name the calling service, and it may be watched between calls (`uses` is absent). Returns its end.
 */
export function followCallers(
  { zone, callerZones }: ServiceContext,
  { zoneAware }: BalancingOptions,
  uses: Uses | undefined,
  update: (counts: ZoneCounts) => void,
): (() => Promise<void>) | undefined {
  const callers = zoneAware === false ? undefined : zoneAware?.callers;
  if (typeof callers !== "string" || zone === undefined || uses !== undefined) return undefined;
  return callerZones?.follow(callers, update);
}
