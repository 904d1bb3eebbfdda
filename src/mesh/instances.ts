import { AttemptLedger } from "../attempts/attempt-ledger.ts";
import { Patience, type PatienceLimits } from "../attempts/patience.ts";
import { Balancer } from "../balancer/balancer.ts";
import type { Picker } from "../balancer/picker.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { EventSink } from "../core/observing/events.ts";
import { equalValues } from "../core/settings/equal-values.ts";
import type { Upstream } from "../core/upstream.ts";
import { type InstanceLimit, instanceLimit } from "../policies/concurrency/instance-limit.ts";
import { grpcWatches, healthCheckProbe } from "../rotation/health/health-check.ts";
import type { OpenConnection } from "../rotation/health/health-check-connection.ts";
import { HealthChecks } from "../rotation/health/health-checks.ts";
import type { InstanceStanding } from "../rotation/instance-standing.ts";
import { LeavingInstances } from "../rotation/leaving-instances.ts";
import { Rotation } from "../rotation/rotation.ts";
import { TimedHolds } from "../rotation/timed-holds.ts";
import type { InstanceSettings } from "./instance-options.ts";

/** The settings of {@link Instances}, and the parts that they work with. */
export interface InstancesParts {
  readonly service: string;
  readonly settings: InstanceSettings;
  /** The time limits of the service, by which silence of an instance is judged. */
  readonly patience: PatienceLimits;
  /** The zone of this process. */
  readonly zone: string | undefined;
  /** The name of the service to its instances. */
  readonly peerName: string | undefined;
  /** Opens the connections of the health checks, which are their own. */
  readonly open: OpenConnection;
  /** Sends one attempt to an upstream, for pickers that probe instances. */
  readonly send: Dispatch;
  /** Tells an upstream that this process has let go of it. */
  readonly letGo?: ((upstream: Upstream) => void) | undefined;
  /** Releases the connections of an upstream that is no longer listed, or that has left the rotation. */
  readonly release: (upstream: Upstream) => void;
  /** Called where attempts show that discovery's data may be out of date: an instance cannot be reached, or all are out of rotation. */
  readonly onStale?: (() => void) | undefined;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
}

/** The instances of a service by other settings, before they are in force. */
export interface NextInstances {
  /** Puts them in force; it throws nothing. */
  commit(): void;
  /** The limit of each instance by them. */
  readonly room: InstanceLimit | undefined;
}

/**
 * The instances of one service as this process sees them: the balancer over them, the rotation, the room that each has, and the ledger of their
 * attempts.
 */
export class Instances {
  readonly balancer: Balancer;
  picker: Picker;
  readonly ledger: AttemptLedger;
  /** The limit of each instance; `undefined` without `concurrency.maxInFlightPerInstance`. */
  room: InstanceLimit | undefined;
  readonly #parts: InstancesParts;
  readonly #patience: Patience;
  #settings: InstanceSettings;
  readonly #rotation: Rotation;
  readonly #operator: TimedHolds;
  /** Holds of instances that have said that they leave. */
  readonly #departures: TimedHolds;
  readonly #healthChecks: HealthChecks | undefined;

  constructor(parts: InstancesParts) {
    const { service, settings, patience, zone, send, events, clock, random } = parts;
    this.#parts = parts;
    this.#settings = settings;
    this.#patience = new Patience(patience);
    this.picker = settings.picker.forService?.(service, { clock, random, send }) ?? settings.picker;
    this.#rotation = new Rotation({
      ...(settings.breaker || undefined),
      ejection: settings.ejection,
      clock,
      random,
      events,
      upstreams: () => this.balancer.members,
      healthCheck: (upstream) => this.#healthChecks?.result(upstream),
    });
    this.#operator = new TimedHolds("operator", this.#rotation, clock);
    this.#departures = new TimedHolds("leaving", this.#rotation, clock);
    const leaving = new LeavingInstances({
      hold: (upstream, forMs) => this.#departures.hold(upstream, forMs),
      letGo: (upstream) => parts.letGo?.(upstream),
    });
    this.#healthChecks = healthChecksOf(parts, this.#rotation);
    this.balancer = new Balancer({
      ...settings.balancing,
      service,
      peerName: parts.peerName,
      picker: this.picker,
      zone,
      clock,
      random,
      onStateChange: (upstream) => {
        // An instance that is about to end must not wait for connections that nothing uses.
        if (upstream.state === "ejected" || upstream.state === "unhealthy") parts.release(upstream);
        // Another instance may have taken its place in the subset.
        if (settings.balancing.subset) this.#healthChecks?.update(this.balancer.members);
        this.room?.fill();
        if (upstream.state !== "available" && this.#areAllOut()) parts.onStale?.();
      },
      onMembers: () => this.#healthChecks?.update(this.balancer.members),
      onRemoved: (upstream) => {
        this.#rotation.forget(upstream);
        this.#operator.forget(upstream);
        this.#departures.forget(upstream);
        // Before its connections are closed.
        leaving.removed(upstream);
        parts.release(upstream);
      },
    });
    this.room = instanceLimit(settings.concurrency, { service, candidates: (route) => this.balancer.candidatesOf(route), clock });
    this.ledger = new AttemptLedger({
      picker: this.picker,
      // With `breaker: false`, attempts do not reach the circuits: only health checks and operators do.
      passiveHealth: settings.breaker === false ? undefined : this.#rotation.passiveHealth,
      patience: this.#patience,
      clock,
      onEnd: () => this.room?.fill(),
      onUnreachable: parts.onStale,
      onSaid: (upstream, said) => leaving.heard(upstream, said),
    });
  }

  /** Replaces the set of endpoints. `unconfirmed`: those of them that discovery's last answer leaves out. */
  update(endpoints: readonly Endpoint[], unconfirmed: readonly Endpoint[] = []): void {
    this.balancer.update(endpoints, unconfirmed);
    this.room?.fill();
    this.#healthChecks?.update(this.balancer.members);
  }

  /**
   * Prepares other settings; the result puts them in force and throws nothing. Instances, what is known of them, their circuits and what waits for room stay.
   * `makesPicker`: whether the picker is another one.
   */
  prepare(settings: InstanceSettings, patience: PatienceLimits, makesPicker: boolean): NextInstances {
    const { service, send, clock, random } = this.#parts;
    const picker = makesPicker ? (settings.picker.forService?.(service, { clock, random, send }) ?? settings.picker) : this.picker;
    const room = this.#nextRoom(settings.concurrency);
    const commit = () => {
      const { breaker, ejection } = this.#settings;
      this.#settings = settings;
      this.#patience.adjust(patience);
      const isOther = !equalValues(ejection, settings.ejection);
      this.#rotation.adjust({ breaker: settings.breaker || {}, ejection: isOther ? settings.ejection : undefined });
      if (breaker !== false && settings.breaker === false) this.#rotation.readmitAll();
      this.#useRoom(room, settings.concurrency);
      if (makesPicker) {
        this.picker = picker;
        this.balancer.usePicker(picker);
      }
      this.ledger.adjust({ picker, passiveHealth: settings.breaker === false ? undefined : this.#rotation.passiveHealth });
    };
    return { commit, room };
  }

  /** The same one where there is a limit before and after. */
  #nextRoom(concurrency: InstanceSettings["concurrency"]): InstanceLimit | undefined {
    const { service, clock } = this.#parts;
    const next = instanceLimit(concurrency, { service, candidates: () => this.balancer.candidates, clock });
    return next && (this.room ?? next);
  }

  #useRoom(room: InstanceLimit | undefined, concurrency: InstanceSettings["concurrency"]): void {
    const former = this.room;
    this.room = room;
    if (room === undefined) former?.retire();
    else if (concurrency !== false) room.adjust(concurrency.maxInFlightPerInstance ?? room.max, concurrency);
  }

  #areAllOut(): boolean {
    return !this.balancer.upstreams.some(({ state }) => state === "available");
  }

  /** The place of `upstream` in the rotation, with the reason. */
  standing(upstream: Upstream): InstanceStanding {
    return this.#rotation.standing(upstream);
  }

  /** Takes the instance with this id out of rotation for `forMs` milliseconds, or puts it back with 0; `false` where there is none. */
  eject(id: string, forMs: number): boolean {
    const upstream = this.balancer.upstreams.find((each) => each.id === id);
    if (upstream === undefined) return false;
    if (forMs > 0) this.#operator.hold(upstream, forMs);
    else this.#operator.release(upstream);
    return true;
  }

  /** Ends the health checks. */
  stopChecks(): void {
    this.#healthChecks?.stop();
  }

  /** Releases all timers, and every upstream by `release`. */
  dispose(release: (upstream: Upstream) => void): void {
    this.#operator.dispose();
    this.#departures.dispose();
    this.#rotation.dispose();
    for (const upstream of this.balancer.upstreams) release(upstream);
  }
}

function healthChecksOf({ settings, open, clock, random }: InstancesParts, rotation: Rotation): HealthChecks | undefined {
  const { healthCheck, protocol } = settings;
  if (healthCheck === false) return undefined;
  const watches = grpcWatches(healthCheck, { protocol, open }, { clock, random });
  return new HealthChecks({
    ...healthCheck,
    watches,
    probe: healthCheckProbe(healthCheck, { protocol, open }, watches),
    clock,
    random,
    onUnhealthy: (upstream) => rotation.hold(upstream),
    onHealthy: (upstream) => rotation.release(upstream),
  });
}
