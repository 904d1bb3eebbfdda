import type { Clock } from "../../core/clock.ts";
import type { CallEnd } from "../../core/observing/call-observer.ts";
import { RecentCount } from "../../core/observing/recent-count.ts";
import type { FaultEvent, MirrorEvent } from "../../core/observing/routes/route-events.ts";
import type { RuleReading } from "../../core/observing/routes/route-reading.ts";
import type { Routed } from "../../core/routed.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";

/** A target of a {@link RouteRow}. */
export interface RouteTargetRow {
  /** Its name in the split; `null` for the one target of a rule. */
  readonly name: string | null;
  /** The service; `null` for the one that is called. */
  readonly service: string | null;
  /** The name of the part of its instances; `null` for all. */
  readonly subset: string | null;
  /** Its share of the calls at present, 0 to 1. */
  readonly share: number;
  /** Calls that ended, over about the last minute. */
  readonly callsPerMinute: number;
}

/** A rule of the routes in force. */
export interface RouteRow {
  readonly name: string;
  /** The parts that it has: `to`, `split`, `redirect`, `respond`, `rewrite`, `mirror`, `fault` and so on. */
  readonly parts: readonly string[];
  /** Calls that ended, over about the last minute. */
  readonly callsPerMinute: number;
  /** Calls that failed, since the recording began. */
  readonly failures: number;
  /** Copies that were sent and have ended, since the recording began. */
  readonly copies: number;
  /** Copies that were left out, since the recording began. */
  readonly copiesLeftOut: number;
  /** Faults made on purpose, since the recording began. */
  readonly faults: number;
  readonly targets: readonly RouteTargetRow[];
}

/** Rules with a tally of their own. They may be other ones each hour. */
const maxRules = 1_000;

/** The counts of one rule since the recording began. */
class RouteTally {
  readonly recent = new RecentCount();
  readonly byTarget = new Map<string | undefined, RecentCount>();
  failures = 0;
  copies = 0;
  leftOut = 0;
  faults = 0;

  target(name: string | undefined): RecentCount {
    const known = this.byTarget.get(name) ?? new RecentCount();
    this.byTarget.set(name, known);
    return known;
  }
}

/** The calls, copies and faults of each rule. */
export class RouteTallies {
  readonly #clock: Clock;
  readonly #tallies = new Map<string, RouteTally>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A call by a rule has ended. */
  ended({ rule, target }: Routed, end: CallEnd): void {
    if (end.cancelled) return;
    const tally = this.#of(rule);
    const now = this.#clock.now();
    tally.recent.add(now);
    tally.target(target).add(now);
    if (end.error !== undefined || countedStatus({ status: end.status ?? 0, rpcStatus: end.rpcStatus }) >= 500) tally.failures++;
  }

  mirrored({ rule, omission }: MirrorEvent): void {
    const tally = this.#of(rule);
    if (omission === undefined) tally.copies++;
    else tally.leftOut++;
  }

  faulted({ rule }: FaultEvent): void {
    this.#of(rule).faults++;
  }

  /** The rows of the rules in force, in their order. Those that are no more in force are forgotten. */
  rows(rules: readonly RuleReading[]): readonly RouteRow[] {
    const names = new Set(rules.map(({ name }) => name));
    for (const name of this.#tallies.keys()) if (!names.has(name)) this.#tallies.delete(name);
    const now = this.#clock.now();
    return rules.map(({ name, parts, targets }) => {
      const tally = this.#tallies.get(name) ?? new RouteTally();
      return {
        name,
        parts,
        callsPerMinute: tally.recent.at(now),
        failures: tally.failures,
        copies: tally.copies,
        copiesLeftOut: tally.leftOut,
        faults: tally.faults,
        targets: targets.map((target) => ({
          name: target.name ?? null,
          service: target.service ?? null,
          subset: target.subset ?? null,
          share: target.share,
          callsPerMinute: tally.byTarget.get(target.name)?.at(now) ?? 0,
        })),
      };
    });
  }

  #of(rule: string): RouteTally {
    const known = this.#tallies.get(rule);
    if (known !== undefined) return known;
    const tally = new RouteTally();
    // More are counted nowhere until rules that have gone are forgotten.
    if (this.#tallies.size < maxRules) this.#tallies.set(rule, tally);
    return tally;
  }
}
