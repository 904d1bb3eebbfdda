import type { BreakerState } from "../../core/breaker-state.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { EjectionRule } from "../../core/ejection-rule.ts";
import type { EndpointsUpdate, RetryDenial } from "../../core/observer.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { Observers } from "./observers.ts";

/** What the parts of one service call when something happens, which the observers of the mesh are told then. */
export interface Hooks {
  readonly onRetry: (request: MeshRequest, reason: string, delayMs: number) => void;
  readonly onRetryDenied: (request: MeshRequest, denial: RetryDenial) => void;
  readonly onHedge: (request: MeshRequest, delayMs: number) => void;
  readonly onHedgeWon: (request: MeshRequest) => void;
  readonly onServiceBreaker: (state: BreakerState) => void;
  readonly onUpstreamBreaker: (upstream: Upstream, state: BreakerState) => void;
  readonly onEjection: (upstream: Upstream, rule: EjectionRule) => void;
  readonly onAvailability: (upstream: Upstream) => void;
  readonly onEndpoints: (update: EndpointsUpdate) => void;
  readonly onDiscoveryError: (error: unknown) => void;
}

/** The hooks of `service`. */
export function hooksOf(observers: Observers, service: string): Hooks {
  return {
    onRetry: (request, reason, delayMs) => observers.each((observer) => observer.onRetry?.(request, reason, delayMs)),
    onRetryDenied: (request, denial) => observers.each((observer) => observer.onRetryDenied?.(request, denial)),
    onHedge: (request, delayMs) => observers.each((observer) => observer.onHedge?.(request, delayMs)),
    onHedgeWon: (request) => observers.each((observer) => observer.onHedgeWon?.(request)),
    onServiceBreaker: (state) => observers.each((observer) => observer.onBreaker?.(service, state, undefined)),
    onUpstreamBreaker: (upstream, state) => observers.each((observer) => observer.onBreaker?.(service, state, upstream)),
    onEjection: (upstream, rule) => observers.each((observer) => observer.onEjection?.(upstream, rule)),
    onAvailability: (upstream) => observers.each((observer) => observer.onAvailability?.(upstream)),
    onEndpoints: (update) => observers.each((observer) => observer.onEndpoints?.(update)),
    onDiscoveryError: (error) => observers.each((observer) => observer.onDiscoveryError?.(service, error)),
  };
}
