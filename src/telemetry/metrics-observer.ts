import { handleEvent } from "../core/observing/events.ts";
import type { Observer } from "../core/observing/observer.ts";
import { FollowedCall, MeteredAttempt, type Reporters } from "./followers.ts";
import type { MeshMetrics } from "./metrics/mesh-metrics.ts";
import type { NamedServices } from "./metrics/named-services.ts";

/** The hooks that tell `meter` what is neither a call nor an attempt. */
export function meterHooks(meter: MeshMetrics): Observer {
  return {
    onOpen: (mesh) => meter.opened(mesh),
    onEvent: (event) => handleEvent(meter.events, event),
    onClose: () => meter.close(),
  };
}

/** The hooks that give the services their names where nothing is measured: spans have them too. */
export function namingHooks(services: NamedServices): Observer {
  return {
    onOpen: (mesh) => services.takeFrom(mesh),
    onEvent(event) {
      if (event.type === "endpoints" && event.endpoints.length > 0) services.resolve(event.service);
    },
  };
}

/** An observer that does nothing but measure. */
export function metered(services: NamedServices, meter: MeshMetrics): Observer {
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
