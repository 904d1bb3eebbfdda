import type { PickerView } from "../balancer/picker.ts";
import type { PeerMode } from "../core/connection-options.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { LeftOutCount } from "../core/left-out.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { CanaryReading } from "../core/observing/routes/canary-reading.ts";
import type { EncryptionReading } from "../core/observing/connection-reading.ts";
import type { IdentityReading } from "../core/observing/identity-reading.ts";
import type { RegistryReading } from "../core/observing/reading.ts";
import type { InstanceState } from "../core/upstream.ts";
import type { OutsideEndpoint } from "../discovery/boundary/boundary.ts";
import type { HealthCheckResult } from "../rotation/instance-standing.ts";

/** The reason for which an instance is out of rotation. */
export interface Ejection {
  readonly rule: EjectionRule;
  /** The time at which it was taken out, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The end of its pause, in milliseconds since the epoch; `undefined` while it waits for a probe, or for a health check that passes. */
  readonly untilMs: number | undefined;
}

/** One endpoint in a {@link ServiceExplanation}. */
export interface EndpointExplanation {
  readonly endpoint: Endpoint;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  readonly state: InstanceState;
  /**
   * The reason for which the picker avoids it although it is a candidate, and when it is tried next, such as `fails 100 %, next try in 6 s`;
   * `undefined` while it does not.
   */
  readonly avoided: string | undefined;
  /** Whether the picker may choose it at present. */
  readonly candidate: boolean;
  /** The reason for which it is a candidate, or is none. */
  readonly reason: string;
  /** The share of the service's requests that its priority and zone get, 0 to 1; `undefined` where it is no candidate. */
  readonly share: number | undefined;
  /** The share of the service's attempts of the last minute that it got, 0 to 1; `undefined` where there was none. */
  readonly shareGot: number | undefined;
  /** The share of the service's requests that it is meant to have at present, 0 to 1; `undefined` where it is no candidate. */
  readonly shareMeant: number | undefined;
  /** The part of its share that it gets in slow start, below 1; `undefined` outside of slow start. */
  readonly slowStartRatio: number | undefined;
  /** The reason for which it is out of rotation; `undefined` while it is in. */
  readonly ejection: Ejection | undefined;
  /** Number of times that it was taken out of rotation. */
  readonly ejections: number;
  /** The result of its last active health check; `undefined` without one. */
  readonly healthCheck: HealthCheckResult | undefined;
  /** A peculiarity of the endpoint: discovery no longer lists it, and it is kept until that is confirmed. */
  readonly warning: string | undefined;
  /** Attempts in flight, their response bodies included. */
  readonly inFlight: number;
  /** Attempts that were begun since the endpoint was first listed. */
  readonly attempts: number;
  /** Attempts that failed by a fault of the instance, of every kind: no connection, a broken one, a timeout, a cut off body, any 5xx. */
  readonly failures: number;
  /** `failures` / `attempts`, 0 to 1; `undefined` where there was no attempt. */
  readonly failureRatio: number | undefined;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
  /** Whether it is spoken to over TLS, and the identity that it has shown. */
  readonly connection: EncryptionReading;
  /** The knowledge of the picker about it, such as its cost or effective weight; `undefined` for a picker without any. */
  readonly picker: PickerView | undefined;
}

/** A part of the instances that calls were led to by a route, in a {@link ServiceExplanation}. */
export interface SubsetExplanation {
  readonly name: string;
  /** Where no instance is of the subset: calls fail, or go to any. */
  readonly whenEmpty: "fail" | "any";
  /** The ids of its endpoints. */
  readonly endpoints: readonly string[];
  /** The ids of those that the picker may choose at present. */
  readonly candidates: readonly string[];
}

/** The result of `mesh.explain(service)`; as a string it is a table. */
export interface ServiceExplanation {
  readonly service: string;
  /** The name of the discovery adapter. */
  readonly discovery: string;
  /** Milliseconds since the last answer of discovery; `undefined` where there was none. */
  readonly ageMs: number | undefined;
  /** The error of discovery since its last answer; `undefined` where it works. */
  readonly discoveryError: string | undefined;
  /** The state of the source, for how long it fails, and its error. */
  readonly registry: RegistryReading;
  /** The entries of the last answer that are not used, by their reasons, the most frequent one first. */
  readonly leftOut: readonly LeftOutCount[];
  /** The state of the breaker of the whole service. */
  readonly breaker: BreakerState;
  /** The identity of this process towards its instances, the source of it and its state; `undefined` where it shows none. */
  readonly identity: IdentityReading | undefined;
  /** The options `peer.mode` and `peer.id`: whether instances are spoken to over TLS, and the SPIFFE ids of which they must have one. */
  readonly peer: { readonly mode: PeerMode; readonly ids: readonly string[] | undefined };
  readonly endpoints: readonly EndpointExplanation[];
  /** Endpoints that discovery lists and that are outside of the service's `boundary`, with the reason for each. They get no request. */
  readonly outside: readonly OutsideEndpoint[];
  /** The subsets that routes have led calls to, the first one first. */
  readonly subsets: readonly SubsetExplanation[];
  /** The canaries of routes that lead to it. */
  readonly canaries: readonly CanaryReading[];
  /** The explanation as a table with a line for each endpoint: `console.log(String(mesh.explain("orders")))`. */
  toString(): string;
}
