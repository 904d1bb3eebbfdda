import type { EventHandlers } from "../../core/observing/events.ts";
import { breakerStateOf, errorTypeOf, knownRule } from "../attribute-values.ts";
import type { Sink } from "./metric-sink.ts";
import type { NamedServices } from "./named-services.ts";
import type { RegistrationMetrics } from "./registration-metrics.ts";
import type { RouteMetrics } from "./route-metrics.ts";
import type { SecurityMetrics } from "./security-metrics.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** Handlers that count each event, name the services that discovery resolves and note the instances whose state changes. */
export function countEvents(
  services: NamedServices,
  registrations: RegistrationMetrics,
  servers: ServerMetrics,
  security: SecurityMetrics,
  routes: RouteMetrics,
  sink: Sink,
): Omit<EventHandlers, "configured" | "configuration-refused"> {
  return {
    retry({ service, reason }) {
      const state = services.find(service);
      sink.current()?.retries.add(1, state.retries(reason));
    },
    "retry-denied"({ service, denial }) {
      sink.current()?.retriesDenied.add(1, services.find(service).denials.of(denial));
    },
    hedge({ service }) {
      sink.current()?.hedges.add(1, services.find(service).attributes);
    },
    "hedge-won"({ service }) {
      sink.current()?.hedgesWon.add(1, services.find(service).attributes);
    },
    endpoints({ service, endpoints, rejected, quarantined }) {
      const state = endpoints.length > 0 ? services.resolve(service) : services.find(service);
      const instruments = sink.current();
      if (instruments === undefined) {
        state.forgetRemoved();
        return;
      }
      instruments.discoveryUpdates.add(1, state.discoveryOutcomes.of(quarantined ? "quarantined" : "accepted"));
      if (rejected.length > 0) instruments.discoveryRejected.add(rejected.length, state.attributes);
    },
    "discovery-error"({ service, error }) {
      sink.current()?.discoveryErrors.add(1, services.find(service).errorTypes.of(errorTypeOf(error)));
    },
    "instance-state"({ service, upstream, state, former, rule }) {
      services.named(service)?.noteInstance(upstream);
      const attributes = services.find(service);
      const instruments = sink.current();
      const breaker = breakerStateOf[state];
      if (breaker !== breakerStateOf[former])
        instruments?.breakerTransitions.add(1, attributes.endpointBreakerStates(upstream).of(breaker));
      if (former === "available" && rule !== undefined) instruments?.ejections.add(1, attributes.ejectionRules.of(knownRule(rule)));
    },
    // The decisions of single calls are no numbers.
    trace: undefined,
    canary: undefined,
    breaker({ service, state }) {
      sink.current()?.breakerTransitions.add(1, services.find(service).breakerStates.of(state));
    },
    registration: registrations.count,
    serving: servers.count,
    "server-connection": security.countConnection,
    mirror: routes.countMirror,
    fault: routes.countFault,
  };
}
