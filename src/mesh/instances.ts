import { AttemptLedger } from "../attempts/attempt-ledger.ts";
import { Balancer } from "../balancer/balancer.ts";
import type { Picker } from "../balancer/picker.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { Upstream } from "../core/upstream.ts";
import { type InstanceLimit, instanceLimit } from "../policies/concurrency/instance-limit.ts";
import { healthCheckProbe } from "../rotation/health/health-check.ts";
import { HealthChecks } from "../rotation/health/health-checks.ts";
import type { InstanceStanding } from "../rotation/instance-standing.ts";
import { OperatorHolds } from "../rotation/operator-holds.ts";
import { Rotation } from "../rotation/rotation.ts";
import type { ClientIdentity } from "../wire/client-identity.ts";
import type { InstanceSettings } from "./instance-options.ts";

/** The parts that the instances of a service are kept with. */
export interface InstancesParts {
  readonly service: string;
  readonly settings: InstanceSettings;
  /** The zone of this process. */
  readonly zone: string | undefined;
  /** Of the health checks, which make connections of their own. */
  readonly identity: ClientIdentity;
  /** One attempt at an upstream, for pickers that ask instances something. */
  readonly send: Dispatch;
  /** The upstream has left: its connections may go. */
  readonly release: (upstream: Upstream) => void;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The instances of one service as this process sees them: the balancer over them, which of them are in rotation, the room that each has,
 * and the ledger of their attempts.
 */
export class Instances {
  readonly balancer: Balancer;
  readonly picker: Picker;
  readonly ledger: AttemptLedger;
  /** `undefined` without `concurrency.maxInFlightPerInstance`. */
  readonly room: InstanceLimit | undefined;
  readonly #rotation: Rotation;
  readonly #operator: OperatorHolds;
  readonly #healthChecks: HealthChecks | undefined;

  constructor(parts: InstancesParts) {
    const { service, settings, zone, send, events, clock, random } = parts;
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
    this.#operator = new OperatorHolds(this.#rotation, clock);
    this.#healthChecks = healthChecksOf(parts, this.#rotation);
    this.balancer = new Balancer({
      ...settings.balancing,
      service,
      picker: this.picker,
      zone,
      clock,
      random,
      onStateChange: () => {
        // Other instances may have joined the subset in its place.
        if (settings.balancing.subset) this.#healthChecks?.update(this.balancer.members);
        this.room?.fill();
      },
      onRemoved: (upstream) => {
        this.#rotation.forget(upstream);
        this.#operator.forget(upstream);
        parts.release(upstream);
      },
    });
    this.room = instanceLimit(settings.concurrency, { service, candidates: () => this.balancer.candidates, clock });
    this.ledger = new AttemptLedger({
      picker: this.picker,
      // With `breaker: false` circuits do what health checks and operators say, and no more.
      passiveHealth: settings.breaker === false ? undefined : this.#rotation.passiveHealth,
      clock,
      onEnd: this.room?.fill,
    });
  }

  /** Takes a complete new set of endpoints. */
  update(endpoints: readonly Endpoint[]): void {
    this.balancer.update(endpoints);
    this.room?.fill();
    this.#healthChecks?.update(this.balancer.members);
  }

  /** Why `upstream` is, or is not, in rotation. */
  standing(upstream: Upstream): InstanceStanding {
    return this.#rotation.standing(upstream);
  }

  /** Takes the instance with this id out for `forMs` milliseconds, or puts it back for 0; `false` when there is none. */
  eject(id: string, forMs: number): boolean {
    const upstream = this.balancer.upstreams.find((each) => each.id === id);
    if (upstream === undefined) return false;
    if (forMs > 0) this.#operator.hold(upstream, forMs);
    else this.#operator.release(upstream);
    return true;
  }

  /** Ends the health checks; what is in flight goes on. */
  stopChecks(): void {
    this.#healthChecks?.stop();
  }

  /** Releases every timer, and lets go of every upstream. */
  dispose(release: (upstream: Upstream) => void): void {
    this.#operator.dispose();
    this.#rotation.dispose();
    for (const upstream of this.balancer.upstreams) release(upstream);
  }
}

function healthChecksOf({ settings, identity, clock, random }: InstancesParts, rotation: Rotation): HealthChecks | undefined {
  const { healthCheck, protocol } = settings;
  if (healthCheck === false) return undefined;
  return new HealthChecks({
    ...healthCheck,
    probe: healthCheckProbe(healthCheck, protocol, identity),
    clock,
    random,
    onUnhealthy: (upstream) => rotation.hold(upstream),
    onHealthy: (upstream) => rotation.release(upstream),
  });
}
