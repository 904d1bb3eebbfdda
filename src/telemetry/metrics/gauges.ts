import type { BreakerState } from "../../core/observing/breaker-state.ts";
import type { InstanceFigures, MeshReading, ServiceReading } from "../../core/observing/reading.ts";
import { instanceStates } from "../../core/upstream.ts";
import { breakerStateOf } from "../attribute-values.ts";
import { maxExplained } from "./instance-gauges.ts";
import type { GaugeKey, Report } from "./metric-sink.ts";
import type { NamedServices } from "./named-services.ts";
import type { ServiceSeries } from "./service-series.ts";

const breakerStates: readonly BreakerState[] = ["closed", "open", "half-open"];

/** Reports the gauges of `mesh` at this moment, of services with a name only: those behind `_unknown` would overwrite each other. */
export function reportMesh(mesh: MeshReading, services: NamedServices, report: Report<GaugeKey>): void {
  for (const reading of mesh.services()) {
    const state = services.named(reading.service);
    if (state === undefined) continue;
    reportService(reading, state, report);
    state.instances?.report(instancesOf(mesh, reading), report);
  }
}

function instancesOf({ instances }: MeshReading, { service, endpoints }: ServiceReading): readonly InstanceFigures[] {
  const count = instanceStates.reduce((sum, state) => sum + endpoints[state], 0);
  return count > maxExplained ? [] : (instances?.(service) ?? []);
}

function reportService(reading: ServiceReading, state: ServiceSeries, report: Report<GaugeKey>): void {
  const { attributes } = state;
  report("activeCalls", reading.inFlight, attributes);
  report("retryBudget", reading.retryBudget, attributes);
  for (const each of instanceStates) report("endpoints", reading.endpoints[each], state.endpointStates.of(each));
  report("endpointsAvoided", reading.avoided, attributes);
  report("panic", reading.panicking ? 1 : 0, attributes);
  for (const each of breakerStates) report("breakerState", each === reading.breaker ? 1 : 0, state.breakerStates.of(each));
  report("discoveryUnconfirmed", reading.unconfirmed, attributes);
  if (reading.discoveryAgeMs !== undefined) report("discoveryAge", reading.discoveryAgeMs / 1000, attributes);
  const { concurrency } = reading;
  if (concurrency === undefined) return;
  report("concurrencyLimit", concurrency.limit, attributes);
  report("concurrencyInFlight", concurrency.inFlight, attributes);
  report("concurrencyQueued", concurrency.queued, attributes);
}

/** Reports the breakers of instances, from their first transition on. */
export function reportInstanceBreakers(state: ServiceSeries, report: Report<GaugeKey>): void {
  // Zeros for the states that the breaker is not in, and for an instance that has left: the SDK goes on exporting the last value of a
  // series that is no longer observed (open-telemetry/opentelemetry-js#4096).
  for (const upstream of state.changedInstances()) {
    const breaker = upstream.removed ? undefined : breakerStateOf[upstream.state];
    const sets = state.endpointBreakerStates(upstream);
    for (const each of breakerStates) report("breakerState", each === breaker ? 1 : 0, sets.of(each));
  }
}
