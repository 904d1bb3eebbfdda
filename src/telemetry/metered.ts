import type { Observer } from "../core/observer.ts";
import { FollowedCall, MeteredAttempt, type Reporters } from "./following.ts";
import type { MeshMetrics } from "./metrics.ts";
import type { Services } from "./services.ts";

/** The hooks that tell `meter` what is neither a call nor an attempt. */
export function meterHooks(meter: MeshMetrics): Observer {
  return {
    onOpen: (mesh) => meter.opened(mesh),
    onRetry: (request, reason) => meter.retried(request.service, reason),
    onRetryDenied: (request, denial) => meter.retryDenied(request.service, denial),
    onHedge: (request) => meter.hedged(request.service),
    onHedgeWon: (request) => meter.hedgeWon(request.service),
    onEndpoints: (update) => meter.endpointsUpdated(update),
    onDiscoveryError: (service, error) => meter.discoveryFailed(service, error),
    onEjection: (upstream, rule) => meter.ejected(upstream, rule),
    onBreaker: (service, state, upstream) => meter.breakerChanged(service, state, upstream),
    onClose: () => meter.close(),
  };
}

/** The hooks that give the services their names where nothing is measured: spans have them too. */
export function namingHooks(services: Services): Observer {
  return {
    onOpen: (mesh) => services.takeFrom(mesh),
    onEndpoints: ({ service, endpoints }) => {
      if (endpoints.length > 0) services.resolve(service);
    },
  };
}

/** An observer that does nothing but measure. */
export function metered(services: Services, meter: MeshMetrics): Observer {
  const reporters: Reporters = { services, metrics: meter, spans: undefined };
  return {
    ...meterHooks(meter),
    onCall: (request) => (meter.isOn ? new FollowedCall(reporters, request) : undefined),
    onAttempt(request, upstream, call) {
      if (!meter.isOn) return undefined;
      return new MeteredAttempt(meter, request, upstream, call instanceof FollowedCall ? call.context : undefined);
    },
  };
}
