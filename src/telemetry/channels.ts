import { type Channel, channel } from "node:diagnostics_channel";
import type { MeshRequest } from "../core/dispatch.ts";
import { describeError, isMeshError } from "../core/errors.ts";
import { withoutQuery } from "../core/http/without-query.ts";
import type { CallEnd, CallObserver, RouteDecision } from "../core/observing/call-observer.ts";
import type { MeshEvent, MeshEventOf } from "../core/observing/events.ts";
import type { AttemptEnd, AttemptObserver, Observer } from "../core/observing/observer.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import { attemptErrorType, breakerStateOf, callOutcome, errorTypeOf } from "./attribute-values.ts";
import type {
  AttemptMessage,
  AvailabilityMessage,
  CallMessage,
  ChannelMessages,
  InstanceMessage,
  RequestMessage,
} from "./channel-messages.ts";

const calls = channel("inmesh:call");
const attempts = channel("inmesh:attempt");

/** A channel, and its message for an event of one type; `undefined` for an event that the channel does not report. */
interface Publication<Event> {
  readonly channel: Channel;
  readonly message: (event: Event) => object | undefined;
}

/** The channels of each type of event, in the order in which they are published. */
const publications: { readonly [Type in MeshEvent["type"]]: readonly Publication<MeshEventOf<Type>>[] } = {
  retry: [on("inmesh:retry", ({ request, reason, delayMs }) => ({ ...requestMessage(request), reason, delayMs }))],
  "retry-denied": [on("inmesh:retry:denied", ({ request, denial }) => ({ ...requestMessage(request), denial }))],
  hedge: [on("inmesh:hedge", ({ request, delayMs }) => ({ ...requestMessage(request), delayMs }))],
  "hedge-won": [on("inmesh:hedge:won", ({ request }) => requestMessage(request))],
  endpoints: [
    on("inmesh:discovery:update", ({ service, endpoints, rejected, quarantined }) => ({
      service,
      endpoints: endpoints.length,
      rejected: rejected.length,
      quarantined,
    })),
  ],
  "discovery-error": [
    on("inmesh:discovery:error", ({ service, error }) => ({ service, errorType: errorTypeOf(error), error: errorText(error) })),
  ],
  // Each of the three channels distinguishes fewer states than the event: a change between two that look alike there is not published.
  "instance-state": [
    on("inmesh:availability", ({ upstream, state, former }) => {
      const availability = availabilityOf[state];
      return availability === availabilityOf[former] ? undefined : { ...instanceMessage(upstream), availability };
    }),
    on("inmesh:breaker", ({ upstream, state, former }) => {
      const breaker = breakerStateOf[state];
      return breaker === breakerStateOf[former] ? undefined : { ...instanceMessage(upstream), state: breaker };
    }),
    on("inmesh:ejection", ({ upstream, former, rule }) =>
      former === "available" && rule !== undefined ? { ...instanceMessage(upstream), rule } : undefined,
    ),
  ],
  trace: [on("inmesh:trace", ({ request, trace: { sampled, decisions } }) => ({ ...requestMessage(request), sampled, decisions }))],
  breaker: [on("inmesh:breaker", ({ service, state }) => ({ service, state, endpoint: undefined, address: undefined }))],
  registration: [
    on("inmesh:registration", ({ service, id, registry, state, lost, error }) => ({
      service,
      instance: id,
      registry,
      state,
      lost,
      error: error === undefined ? undefined : errorText(error),
    })),
  ],
  canary: [
    on("inmesh:canary", ({ service, rule, change, state, share, isAlone, why }) => ({ service, rule, change, state, share, isAlone, why })),
  ],
  serving: [on("inmesh:serving", ({ service, state, open, cutOff }) => ({ service, state, open, cutOff }))],
  configured: [
    on("inmesh:configuration", ({ source, changed, restart }) => ({ source, result: "applied", changed, restart, error: undefined })),
  ],
  "configuration-refused": [
    on("inmesh:configuration", ({ source, error }) => ({ source, result: "refused", changed: [], restart: [], error: errorText(error) })),
  ],
  mirror: [
    on("inmesh:mirror", ({ service, rule, request, outcome, omission }) => ({
      ...requestMessage(request),
      service,
      rule,
      outcome,
      omission,
    })),
  ],
  fault: [on("inmesh:fault", ({ rule, request, fault, status }) => ({ ...requestMessage(request), rule, fault, status }))],
  "server-connection": [
    on("inmesh:server:connection", ({ service, peerAddress, encryption, refusal, error }) => ({
      service,
      peerAddress,
      encryption,
      refusal,
      error: error === undefined ? undefined : errorText(error),
    })),
  ],
};

const eventChannels: readonly Channel[] = Object.values(publications).flatMap((all) => all.map((publication) => publication.channel));

/** Publishes on `node:diagnostics_channel`; builds no message for a channel without subscribers. Stateless: it serves all meshes. */
export const channelObserver: Observer = {
  onCall: (request) => (calls.hasSubscribers ? new PublishedCall(request) : undefined),
  onAttempt: (request, upstream) => (attempts.hasSubscribers ? new PublishedAttempt(request, upstream) : undefined),
  // Absent while no channel of events has subscribers, so that no event is made for it.
  get onEvent() {
    return eventChannels.some(({ hasSubscribers }) => hasSubscribers) ? publishEvent : undefined;
  },
};

function on<Name extends keyof ChannelMessages, Event>(
  name: Name,
  message: (event: Event) => ChannelMessages[Name] | undefined,
): Publication<Event> {
  return { channel: channel(name), message };
}

function publishEvent(event: MeshEvent): void {
  for (const publication of publications[event.type] as readonly Publication<MeshEvent>[]) {
    if (!publication.channel.hasSubscribers) continue;
    const message = publication.message(event);
    if (message !== undefined) publication.channel.publish(message);
  }
}

const availabilityOf: Readonly<Record<InstanceState, AvailabilityMessage["availability"]>> = {
  available: "in",
  ejected: "out",
  unhealthy: "out",
  probing: "probe",
};

class PublishedCall implements CallObserver {
  readonly #request: MeshRequest;
  #service: string | undefined = undefined;

  constructor(request: MeshRequest) {
    this.#request = request;
  }

  onRouted({ service }: RouteDecision): void {
    this.#service = service;
  }

  onEnd(end: CallEnd): void {
    const { status, error, headMs, totalMs } = end;
    const message: CallMessage = {
      ...requestMessage(this.#request),
      service: this.#service ?? this.#request.service,
      ...callOutcome(end),
      status,
      error: error === undefined ? undefined : errorText(error),
      attempts: end.attempts,
      headMs,
      totalMs,
    };
    calls.publish(message);
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
    const message: AttemptMessage = {
      ...requestMessage(this.#request),
      ...instanceMessage(this.#upstream),
      attempt: this.#request.attempt,
      zone: this.#upstream.endpoint.zone,
      phase: record.phase,
      status: record.status,
      errorType: attemptErrorType(end),
      error: error === undefined ? undefined : errorText(error),
      cancelled: end.cancelled,
      maybeExecuted: record.maybeExecuted,
      totalMs,
    };
    attempts.publish(message);
  }
}

function requestMessage({ service, method, path, route }: MeshRequest): RequestMessage {
  return { service, method, path: withoutQuery(path), route };
}

function instanceMessage({ service, id, address }: Upstream): InstanceMessage {
  return { service, endpoint: id, address };
}

/** The text of an error. Messages of the mesh hold no secret; those of other errors may quote anything, so only the name is shown. */
function errorText(error: unknown): string {
  if (isMeshError(error)) return describeError(error);
  return error instanceof Error ? error.name : typeof error;
}
