import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { CallObserver } from "../core/observing/call-observer.ts";
import { type EventHandlers, handleEvent, type MeshEvent } from "../core/observing/events.ts";
import type { AttemptObserver, Observer } from "../core/observing/observer.ts";
import type { MeshReading } from "../core/observing/reading.ts";
import type { Upstream } from "../core/upstream.ts";
import { ServiceTally } from "./service-tally.ts";

/** What a {@link Recorder} needs. */
export interface RecorderOptions {
  readonly clock: Clock;
  /** The services that the mesh watches: of others nothing is kept. */
  readonly services: () => readonly string[];
  /** The mesh has closed, or the recorder has left it. */
  readonly onClose: () => void;
}

/** Records what the page shows, while it is attached to a mesh. */
export class Recorder implements Observer {
  readonly #options: RecorderOptions;
  #tallies = new Map<string, ServiceTally>();
  #newest: readonly [name: string, tally: ServiceTally] | undefined = undefined;
  #reading: MeshReading | undefined = undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** What the mesh tells of itself; `undefined` before it was attached. */
  get reading(): MeshReading | undefined {
    return this.#reading;
  }

  /** Services that something is kept of. */
  get size(): number {
    return this.#tallies.size;
  }

  /** What was seen of a service; made when nothing was. */
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
    return this.tally(request.service).follow(request);
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
    // The page reads everything else when it is asked for.
    "retry-denied": undefined,
    "hedge-won": undefined,
    "discovery-error": undefined,
    "instance-state": undefined,
    breaker: undefined,
  };

  /** Names may come from outside: the tally of a service that made room for another goes with it. */
  #add(service: string): ServiceTally {
    const watched = new Set(this.#options.services());
    const tallies = [...this.#tallies].filter(([name]) => watched.has(name));
    const tally = new ServiceTally(this.#options.clock);
    this.#tallies = new Map([...tallies, [service, tally]]);
    return tally;
  }
}
