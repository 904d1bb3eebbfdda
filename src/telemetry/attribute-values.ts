import type { Attributes } from "@opentelemetry/api";
import type { RpcProtocol } from "../core/dispatch.ts";
import { ejectionRules } from "../core/ejection-rule.ts";
import { isMeshError, type MeshErrorCode, meshErrorCodes } from "../core/errors.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { CallEnd } from "../core/observing/call-observer.ts";
import type { AttemptEnd } from "../core/observing/observer.ts";
import type { ServedEnd } from "../core/observing/served-request.ts";
import { httpStatusOf, rpcStatus, rpcStatusName } from "../core/rpc/rpc-status.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import { attribute } from "./attribute-names.ts";

/** The value that the semantic conventions prescribe where a value is not one of a known set. */
export const other = "_OTHER";

const methods: ReadonlySet<string> = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]);

/** The method as an attribute value: one of the known ones, or `_OTHER`. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : other;
}

/**
 * The status as an attribute value of metrics, of which there are fewer than 200, so that invented codes make no series. x00 to x31 holds
 * every registered code but 451, and those of CDNs (520–530); any other becomes the x00 of its class, as RFC 9110 §15 has clients treat it.
 * Spans carry the code itself.
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
 * The `error.type` of an attempt: the status from 400 on, of a remote procedure call the name of every status but `OK`, else the code of its error. An attempt that this side gave up has none, since
 * that is no error.
 */
export function attemptErrorType(end: AttemptEnd): string | undefined {
  const { status } = end.record;
  if (end.rpcStatus !== undefined && end.rpcStatus !== rpcStatus.OK) return rpcStatusName(end.rpcStatus);
  if (status !== undefined && status >= 400) return String(knownStatus(status));
  return end.cancelled || end.error === undefined ? undefined : errorTypeOf(end.error);
}

/** The protocol of a remote procedure call as `rpc.system.name`. */
export function rpcSystemOf(protocol: RpcProtocol): string {
  return protocol === "connect" ? "connectrpc" : "grpc";
}

/** The version of HTTP as an attribute value: the minor one only where it says something. */
export function knownVersion(version: string): string {
  return version === "2.0" ? "2" : version === "1.1" || version === "1.0" ? version : other;
}

/** The `error.type` of a request that was served, and of a call: a status from 500 on, of a call of gRPC the name of one that says the same. A 4xx is the caller's error, and a caller that has gone is none. */
export function servedErrorType({ status, rpcStatus: code }: Partial<Pick<ServedEnd, "status" | "rpcStatus">>): string | undefined {
  if (code !== undefined) return httpStatusOf(code) >= 500 ? rpcStatusName(code) : undefined;
  return status !== undefined && status >= 500 ? String(knownStatus(status)) : undefined;
}

/** The outcome of a call, as `inmesh.outcome`. `rejected`: the mesh refused the call and sent nothing. */
export type CallOutcome = "success" | "error" | "rejected" | "cancelled";

const refusals: ReadonlySet<string> = new Set<MeshErrorCode>([
  "ERR_MESH_CIRCUIT_OPEN",
  "ERR_MESH_OVERLOADED",
  "ERR_MESH_ROUTE",
  "ERR_MESH_FORBIDDEN",
  "ERR_MESH_TOKEN",
  "ERR_MESH_INVALID_TARGET",
  "ERR_MESH_CLOSED",
]);

const succeeded = { outcome: "success", errorType: undefined } as const;

/** The outcome of a call and, unless it succeeded or was cancelled, its `error.type`. */
export function callOutcome(end: CallEnd): { readonly outcome: CallOutcome; readonly errorType: string | undefined } {
  // A 5xx counts as one also when the caller did not read its body. A 4xx blames the caller and not the service, so it is a success here,
  // as in Linkerd and Envoy; the metric of attempts has its status.
  const errorStatus = servedErrorType(end);
  if (errorStatus !== undefined) return { outcome: "error", errorType: errorStatus };
  if (end.cancelled) return { outcome: "cancelled", errorType: undefined };
  if (end.error === undefined) return succeeded;
  const errorType = errorTypeOf(end.error);
  return { outcome: refusals.has(errorType) ? "rejected" : "error", errorType };
}

/** Passes the first `max` distinct values and replaces every later one by `_OTHER`. */
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

/** The zone of an instance relative to this process, as `inmesh.zone`. `unknown`: one of the two has no zone. */
export type PickZone = "local" | "other" | "unknown";

/** The {@link PickZone} of an instance in zone `theirs`, to a process in zone `own`. */
export function pickZone(own: string | undefined, theirs: string | undefined): PickZone {
  return own === undefined || theirs === undefined ? "unknown" : own === theirs ? "local" : "other";
}

/** The state of an instance expressed as the state of a breaker, which `inmesh.breaker.state` reports. */
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
export function peerAttributes({ endpoint }: Pick<Upstream, "endpoint">): Attributes {
  return { [attribute.peerAddress]: endpoint.host, [attribute.peerPort]: endpoint.port };
}
