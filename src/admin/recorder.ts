import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { CallEnd, CallObserver, RouteDecision } from "../core/observing/call-observer.ts";
import { type EventHandlers, handleEvent, type MeshEvent } from "../core/observing/events.ts";
import type { AttemptObserver, Observer } from "../core/observing/observer.ts";
import type { MeshReading } from "../core/observing/reading.ts";
import type { Upstream } from "../core/upstream.ts";
import { RouteTallies } from "./routes/route-tallies.ts";
import { ServiceTally } from "./service-tally.ts";

/** Options of a {@link Recorder}. */
export interface RecorderOptions {
  readonly clock: Clock;
  /** The services that the mesh watches; nothing is kept of others. */
  readonly services: () => readonly string[];
  /** Called when the mesh has closed, or the recorder has left it. */
  readonly onClose: () => void;
}

/** Records the calls, attempts and answers of discovery that the page shows, while it observes a mesh. */
export class Recorder implements Observer {
  readonly #options: RecorderOptions;
  /** The counts of each rule of the routes. */
  readonly routes: RouteTallies;
  #tallies = new Map<string, ServiceTally>();
  #newest: readonly [name: string, tally: ServiceTally] | undefined = undefined;
  #reading: MeshReading | undefined = undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.routes = new RouteTallies(options.clock);
  }

  /** The readings of the mesh; `undefined` before the recorder has joined. */
  get reading(): MeshReading | undefined {
    return this.#reading;
  }

  /** Number of services with a tally. */
  get size(): number {
    return this.#tallies.size;
  }

  /** The tally of a service, made at the first use. */
  tally(service: string): ServiceTally {
    if (this.#newest?.[0] === service) return this.#newest[1];
    const tally = this.#tallies.get(service) ?? this.#add(service);
    this.#newest = [service, tally];
    return tally;
  }

  onOpen(reading: MeshReading): void {
    this.#reading = reading;
  }

  onCall(request: MeshRequest): CallObserver {
    return new FollowedCall(this, request);
  }

  onAttempt(request: MeshRequest, upstream: Upstream): AttemptObserver {
    return this.tally(request.service).endpoint(upstream);
  }

  onEvent(event: MeshEvent): void {
    handleEvent(this.#handlers, event);
  }

  onClose(): void {
    this.#options.onClose();
  }

  readonly #handlers: EventHandlers = {
    retry: ({ service }) => this.tally(service).retried(),
    hedge: ({ service }) => this.tally(service).hedged(),
    endpoints: ({ service, endpoints }) => this.tally(service).list(endpoints),
    // The page reads everything else from the mesh at the time of a request.
    "retry-denied": undefined,
    "hedge-won": undefined,
    "discovery-error": undefined,
    "instance-state": undefined,
    breaker: undefined,
    trace: undefined,
    canary: undefined,
    registration: undefined,
    serving: undefined,
    "server-connection": undefined,
    configured: undefined,
    "configuration-refused": undefined,
    mirror: (event) => this.routes.mirrored(event),
    fault: (event) => this.routes.faulted(event),
  };

  /** Drops the tallies of services that the mesh no longer watches, since names may come from outside. */
  #add(service: string): ServiceTally {
    const watched = new Set(this.#options.services());
    const tallies = [...this.#tallies].filter(([name]) => watched.has(name));
    const tally = new ServiceTally(this.#options.clock);
    this.#tallies = new Map([...tallies, [service, tally]]);
    return tally;
  }
}

/** Follows one call, which counts for the service that it went to. */
class FollowedCall implements CallObserver {
  readonly #recorder: Recorder;
  readonly #request: MeshRequest;
  #decided: RouteDecision | undefined = undefined;

  constructor(recorder: Recorder, request: MeshRequest) {
    this.#recorder = recorder;
    this.#request = request;
  }

  onRouted(decision: RouteDecision): void {
    this.#decided = decision;
  }

  onEnd(end: CallEnd): void {
    const { routed, service = this.#request.service } = this.#decided ?? {};
    this.#recorder.tally(service).ended(this.#request, end, routed);
    if (routed !== undefined) this.#recorder.routes.ended(routed, end);
  }
}
