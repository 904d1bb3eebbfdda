import { type Channel, channel } from "node:diagnostics_channel";
import type { CallEnd, CallObserver } from "../core/call-observer.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { describeError, isMeshError } from "../core/errors.ts";
import type { AttemptEnd, AttemptObserver, Observer } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import type { AttemptEvent, CallEvent, InstanceEvent, MeshEvents, RequestEvent } from "./events.ts";
import { attemptErrorType, callOutcome, errorTypeOf } from "./values.ts";

const calls = channel("inmesh:call");
const attempts = channel("inmesh:attempt");
const retries = channel("inmesh:retry");
const retriesDenied = channel("inmesh:retry:denied");
const hedges = channel("inmesh:hedge");
const hedgesWon = channel("inmesh:hedge:won");
const ejections = channel("inmesh:ejection");
const availability = channel("inmesh:availability");
const breakers = channel("inmesh:breaker");
const discoveryUpdates = channel("inmesh:discovery:update");
const discoveryErrors = channel("inmesh:discovery:error");

/** Publishes what happens on `node:diagnostics_channel`; builds nothing that nobody has subscribed to. It has no state: one for all meshes. */
export const channelObserver: Observer = {
  onCall: (request) => (calls.hasSubscribers ? new PublishedCall(request) : undefined),
  onAttempt: (request, upstream) => (attempts.hasSubscribers ? new PublishedAttempt(request, upstream) : undefined),
  onRetry(request, reason, delayMs) {
    if (retries.hasSubscribers) publish<"inmesh:retry">(retries, { ...requestEvent(request), reason, delayMs });
  },
  onRetryDenied(request, denial) {
    if (retriesDenied.hasSubscribers) publish<"inmesh:retry:denied">(retriesDenied, { ...requestEvent(request), denial });
  },
  onHedge(request, delayMs) {
    if (hedges.hasSubscribers) publish<"inmesh:hedge">(hedges, { ...requestEvent(request), delayMs });
  },
  onHedgeWon(request) {
    if (hedgesWon.hasSubscribers) publish<"inmesh:hedge:won">(hedgesWon, requestEvent(request));
  },
  onEjection(upstream, rule) {
    if (ejections.hasSubscribers) publish<"inmesh:ejection">(ejections, { ...instanceEvent(upstream), rule });
  },
  onAvailability(upstream) {
    if (!availability.hasSubscribers) return;
    publish<"inmesh:availability">(availability, { ...instanceEvent(upstream), availability: upstream.availability });
  },
  onBreaker(service, state, upstream) {
    if (!breakers.hasSubscribers) return;
    publish<"inmesh:breaker">(breakers, { service, state, endpoint: upstream?.id, address: upstream?.address });
  },
  onEndpoints({ service, endpoints, rejected, quarantined }) {
    if (!discoveryUpdates.hasSubscribers) return;
    const counts = { endpoints: endpoints.length, rejected: rejected.length, isQuarantined: quarantined };
    publish<"inmesh:discovery:update">(discoveryUpdates, { service, ...counts });
  },
  onDiscoveryError(service, error) {
    if (!discoveryErrors.hasSubscribers) return;
    publish<"inmesh:discovery:error">(discoveryErrors, { service, errorType: errorTypeOf(error), error: shown(error) });
  },
};

class PublishedCall implements CallObserver {
  readonly #request: MeshRequest;

  constructor(request: MeshRequest) {
    this.#request = request;
  }

  onEnd(end: CallEnd): void {
    const { status, error, headMs, totalMs } = end;
    const event: CallEvent = {
      ...requestEvent(this.#request),
      ...callOutcome(end),
      status,
      error: error === undefined ? undefined : shown(error),
      attempts: end.attempts,
      headMs,
      totalMs,
    };
    publish<"inmesh:call">(calls, event);
  }
}

class PublishedAttempt implements AttemptObserver {
  readonly #request: MeshRequest;
  readonly #upstream: Upstream;

  constructor(request: MeshRequest, upstream: Upstream) {
    this.#request = request;
    this.#upstream = upstream;
  }

  onEnd(end: AttemptEnd): void {
    const { record, error, totalMs } = end;
    const event: AttemptEvent = {
      ...requestEvent(this.#request),
      ...instanceEvent(this.#upstream),
      attempt: this.#request.attempt,
      zone: this.#upstream.endpoint.zone,
      phase: record.phase,
      status: record.status,
      errorType: attemptErrorType(end),
      error: error === undefined ? undefined : shown(error),
      isCancelled: end.cancelled,
      maybeExecuted: record.maybeExecuted,
      totalMs,
    };
    publish<"inmesh:attempt">(attempts, event);
  }
}

function publish<Name extends keyof MeshEvents>(to: Channel, event: MeshEvents[Name]): void {
  to.publish(event);
}

function requestEvent({ service, method, path, route }: MeshRequest): RequestEvent {
  const question = path.indexOf("?");
  return { service, method, path: question < 0 ? path : path.slice(0, question), route };
}

function instanceEvent({ service, id, address }: Upstream): InstanceEvent {
  return { service, endpoint: id, address };
}

/** Messages of the mesh's own errors are known to hold no secret; those of others may quote anything. */
function shown(error: unknown): string {
  if (isMeshError(error)) return describeError(error);
  return error instanceof Error ? error.name : typeof error;
}
