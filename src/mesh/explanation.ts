import type { PickerView } from "../balancer/picker.ts";
import type { BreakerState } from "../core/breaker-state.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { InstanceState } from "../core/upstream.ts";
import type { HealthCheckResult } from "../rotation/instance-standing.ts";

/** Why an endpoint is out of rotation. */
export interface Ejection {
  readonly rule: EjectionRule;
  /** Since when, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When its pause ends, in milliseconds since the epoch; `undefined` when it waits for a probe, or for a health check that passes. */
  readonly untilMs: number | undefined;
}

/** One endpoint in a {@link ServiceExplanation}. */
export interface EndpointExplanation {
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly state: InstanceState;
  /** `true` when the picker chooses from it now. */
  readonly candidate: boolean;
  /** Why it is, or is not. */
  readonly reason: string;
  /** The share of the service's requests that its priority and zone are given, 0 to 1; `undefined` for no candidate. */
  readonly share: number | undefined;
  /** The part of its share that it gets in slow start, below 1; `undefined` outside of slow start. */
  readonly slowStartRatio: number | undefined;
  /** What took it out of rotation; `undefined` while it is in. */
  readonly ejection: Ejection | undefined;
  /** How often it has been taken out. */
  readonly ejections: number;
  /** The last active health check; `undefined` without one. */
  readonly healthCheck: HealthCheckResult | undefined;
  /** What is odd about it: discovery lists it no longer but so suddenly that it is kept until that is confirmed. */
  readonly warning: string | undefined;
  readonly inFlight: number;
  readonly attempts: number;
  readonly failures: number;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
  /** What the picker knows of it, such as its cost or its effective weight; `undefined` for a picker that says nothing. */
  readonly picker: PickerView | undefined;
}

/** What `mesh.explain(service)` answers; as a string it is a table. */
export interface ServiceExplanation {
  readonly service: string;
  /** What is asked for endpoints. */
  readonly discovery: string;
  /** Milliseconds since the last good answer; `undefined` when there has been none. */
  readonly ageMs: number | undefined;
  /** Why the newest data is not newer, when the last attempt to get some failed. */
  readonly discoveryError: string | undefined;
  /** The breaker of the whole service. */
  readonly breaker: BreakerState;
  readonly endpoints: readonly EndpointExplanation[];
  /** The same for people, a line for each endpoint: `console.log(String(mesh.explain("orders")))`. */
  toString(): string;
}
