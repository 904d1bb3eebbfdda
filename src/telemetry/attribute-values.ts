import type { Attributes } from "@opentelemetry/api";
import type { BreakerState } from "../core/breaker-state.ts";
import { ejectionRules } from "../core/ejection-rule.ts";
import { isMeshError, type MeshErrorCode, meshErrorCodes } from "../core/errors.ts";
import type { CallEnd } from "../core/observing/call-observer.ts";
import type { AttemptEnd } from "../core/observing/observer.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import { attribute } from "./attribute-names.ts";

/** What the semantic conventions want where a value is not one of a known set. */
export const other = "_OTHER";

const methods: ReadonlySet<string> = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]);

/** The method as an attribute value: one of the known ones, or `_OTHER`. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : other;
}

/**
 * The status as a metric's attribute value, of which there are fewer than 200: a peer that makes up codes cannot make up
 * series. x00 to x31 holds every registered code but 451, and what CDNs add (520–530); any other is the x00 of its class,
 * which is how RFC 9110 §15 has a client understand it. Spans carry the code itself.
 */
export function knownStatus(status: number): number {
  const rest = status % 100;
  if ((rest <= 31 && status < 600) || status === 451) return status;
  return status - rest;
}

/** A {@link MeshErrorCode}, or `_OTHER` for an error that is not the mesh's. */
export function errorTypeOf(error: unknown): MeshErrorCode | typeof other {
  return isMeshError(error) && Object.hasOwn(meshErrorCodes, error.code) ? error.code : other;
}

/**
 * The `error.type` of an attempt: the status from 400 on, else the code of what it failed with. An attempt that this side
 * gave up has none: that is not an error.
 */
export function attemptErrorType(end: AttemptEnd): string | undefined {
  const { status } = end.record;
  if (status !== undefined && status >= 400) return String(knownStatus(status));
  return end.cancelled || end.error === undefined ? undefined : errorTypeOf(end.error);
}

/** How a call ended, as `inmesh.outcome`. `rejected`: the mesh refused it and sent nothing. */
export type CallOutcome = "success" | "error" | "rejected" | "cancelled";

const refusals: ReadonlySet<string> = new Set<MeshErrorCode>([
  "ERR_MESH_CIRCUIT_OPEN",
  "ERR_MESH_OVERLOADED",
  "ERR_MESH_FORBIDDEN",
  "ERR_MESH_INVALID_TARGET",
  "ERR_MESH_CLOSED",
]);

const succeeded = { outcome: "success", errorType: undefined } as const;

/** The outcome of a call and, unless it succeeded or was cancelled, its `error.type`. */
export function callOutcome(end: CallEnd): { readonly outcome: CallOutcome; readonly errorType: string | undefined } {
  // A 5xx stays one when the caller did not read its body. A 4xx is an answer: it says that the caller was wrong,
  // not that the service was (Linkerd and Envoy count alike); the attempt metric has it by its number.
  if (end.status !== undefined && end.status >= 500) return { outcome: "error", errorType: String(knownStatus(end.status)) };
  if (end.cancelled) return { outcome: "cancelled", errorType: undefined };
  if (end.error === undefined) return succeeded;
  const errorType = errorTypeOf(end.error);
  return { outcome: refusals.has(errorType) ? "rejected" : "error", errorType };
}

/** Lets the first `max` distinct values through; any later one is `_OTHER`. */
export class BoundedValues {
  readonly #max: number;
  readonly #seen = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  admit(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= this.#max) return other;
    this.#seen.add(value);
    return value;
  }
}

/** Where an instance is, as `inmesh.zone`. `unknown`: it has no zone, or this process has none. */
export type PickZone = "local" | "other" | "unknown";

/** The {@link PickZone} of an instance in zone `theirs`, to a process in zone `own`. */
export function pickZone(own: string | undefined, theirs: string | undefined): PickZone {
  return own === undefined || theirs === undefined ? "unknown" : own === theirs ? "local" : "other";
}

/** The state of an instance as the state of its breaker, which is what `inmesh.breaker.state` tells. */
export const breakerStateOf: Readonly<Record<InstanceState, BreakerState>> = {
  available: "closed",
  ejected: "open",
  unhealthy: "open",
  probing: "half-open",
};

const knownRules: ReadonlySet<string> = new Set(ejectionRules);

/** The rule of an ejection as an attribute value: one of the known ones, or `_OTHER`. */
export function knownRule(rule: string): string {
  return knownRules.has(rule) ? rule : other;
}

/** The attributes of an instance: its host as discovery gives it, and its port. */
export function peerAttributes({ endpoint }: Upstream): Attributes {
  return { [attribute.peerAddress]: endpoint.host, [attribute.peerPort]: endpoint.port };
}
