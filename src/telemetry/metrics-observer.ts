import { handleEvent } from "../core/observing/events.ts";
import type { Observer } from "../core/observing/observer.ts";
import { FollowedCall, MeteredAttempt, type Reporters } from "./followers.ts";
import type { MeshMetrics } from "./metrics/mesh-metrics.ts";
import type { NamedServices } from "./metrics/named-services.ts";
import { MeteredServed } from "./served-followers.ts";

/** The hooks that hand `meter` everything but calls and attempts. */
export function meterHooks(meter: MeshMetrics): Observer {
  return {
    onOpen: (mesh) => meter.opened(mesh),
    onEvent: (event) => handleEvent(meter.events, event),
    onClose: () => meter.close(),
  };
}

/** The hooks that give services their names where nothing is measured: spans carry them too. */
export function namingHooks(services: NamedServices): Observer {
  return {
    onOpen: (mesh) => services.takeFrom(mesh),
    onEvent(event) {
      if (event.type === "endpoints" && event.endpoints.length > 0) services.resolve(event.service);
    },
  };
}

/** An observer that measures and makes no spans. */
export function metered(services: NamedServices, meter: MeshMetrics): Observer {
  const reporters: Reporters = { services, metrics: meter, spans: undefined };
  return {
    ...meterHooks(meter),
    onCall: (request) => (meter.isOn ? new FollowedCall(reporters, request) : undefined),
    onServe: (request) => (meter.isOn ? new MeteredServed(meter.served, request) : undefined),
    onAttempt(request, upstream, call) {
      if (!meter.isOn) return undefined;
      return new MeteredAttempt(meter, request, upstream, call instanceof FollowedCall ? call.context : undefined);
    },
  };
}
