import type { Clock } from "../../core/clock.ts";
import { xxh64 } from "../../core/hashing/xxh64.ts";
import type { CanaryReading } from "../../core/observing/routes/canary-reading.ts";
import type { EventSink } from "../../core/observing/events.ts";
import { subsetOf } from "../actions/subset-of.ts";
import { type LiveWeightsOf, targetName } from "../compiled-rule.ts";
import type { WeightedTarget } from "../route.ts";
import { Canary } from "./canary.ts";
import { canarySettings } from "./canary-settings.ts";
import type { CanaryState } from "./canary-state.ts";
import type { LiveWeights } from "./live-weights.ts";
import { SharedDecision } from "./shared-decision.ts";

/** Parts of {@link Canaries}. */
export interface CanariesParts {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Where several processes decide together; `undefined`: nowhere. */
  readonly state: CanaryState | undefined;
  /** The name of this process among them. */
  readonly processName: string;
}

/** A canary, and the split as text that it was made for. */
interface MadeCanary {
  readonly canary: Canary;
  readonly rule: string;
  readonly split: string;
}

/** The canaries of the routes of one mesh. One that a new table has unchanged goes on: it keeps its step, its counts, and that it was rolled back. */
export class Canaries {
  readonly #parts: CanariesParts;
  #made: readonly MadeCanary[] = [];

  constructor(parts: CanariesParts) {
    this.#parts = parts;
  }

  /**
   * The weights of a split that has a canary: of the one that was made for the same rule and split before, or of a new one.
   */
  readonly weightsOf: LiveWeightsOf = (split, rule) => {
    if (split.canary === undefined) return undefined;
    const text = JSON.stringify(split);
    const known = this.#made.find((made) => made.rule === rule && made.split === text);
    if (known !== undefined) return known.canary;
    const { clock, events, state, processName } = this.#parts;
    const settings = canarySettings(split.canary);
    const { sharedKey, shares } = settings;
    const shared =
      sharedKey === undefined || state === undefined
        ? undefined
        : new SharedDecision(state, `${sharedKey}/${printOf(text)}`, shares.length, processName);
    const [stable, second] = split.targets as readonly [WeightedTarget, WeightedTarget];
    const canary = new Canary({
      rule,
      service: second.service,
      targets: [nameOf(stable), nameOf(second)],
      settings,
      isSticky: split.sticky !== undefined,
      clock,
      events,
      shared,
    });
    this.#made = [...this.#made, { canary, rule, split: text }];
    return canary;
  };

  /** A table is in force: canaries that are not of it have ended. */
  keep(used: ReadonlySet<LiveWeights | undefined>): void {
    const ended = this.#made.filter(({ canary }) => !used.has(canary));
    this.#made = this.#made.filter(({ canary }) => used.has(canary));
    for (const { canary } of ended) canary.close();
  }

  /** Whether several processes decide together. */
  get areShared(): boolean {
    return this.#parts.state !== undefined;
  }

  /** The canary of a rule; `undefined` where there is none. */
  of(rule: string): Canary | undefined {
    return this.#made.find((made) => made.rule === rule)?.canary;
  }

  /** The readings of all, or of those of a service. */
  readings(service?: string): readonly CanaryReading[] {
    const all = this.#made.map(({ canary }) => canary.reading());
    return service === undefined ? all : all.filter((reading) => reading.service === service);
  }

  /** Ends all looks at counts. */
  end(): void {
    for (const { canary } of this.#made) canary.close();
  }

  /** Releases the shared state, when nothing asks it any more. */
  async close(): Promise<void> {
    this.end();
    await this.#parts.state?.close?.();
  }
}

function nameOf(target: WeightedTarget): string {
  return target.name ?? targetName(target, target.subset === undefined ? undefined : subsetOf(target.subset));
}

/** A short name for a text: another rule is another decision. */
function printOf(text: string): string {
  const { high, low } = xxh64(text);
  return (BigInt(high) * 4_294_967_296n + BigInt(low)).toString(36);
}
