import type { Clock } from "../../core/clock.ts";
import type { EventSink } from "../../core/observing/events.ts";
import type { CanaryDecision } from "./canary-decision.ts";
import type { CanarySettings } from "./canary-settings.ts";
import type { SharedDecision } from "./shared-decision.ts";

/** Parts of a {@link Canary}. */
export interface CanaryParts {
  readonly rule: string;
  /** The service of the canary; `undefined`: the one that is called. */
  readonly service: string | undefined;
  /** The names of the stable target and of the canary. */
  readonly targets: readonly [stable: string, canary: string];
  readonly settings: CanarySettings;
  readonly isSticky: boolean;
  readonly clock: Clock;
  readonly events: EventSink;
  /** `undefined`: this process decides alone. */
  readonly shared: SharedDecision | undefined;
}

/** The decision that a run begins with. */
export function firstDecision(
  { settings, clock }: CanaryParts,
  run: number,
  why = `step 1 of ${settings.steps.length}, ${settings.steps[0]} %`,
): CanaryDecision {
  return { state: settings.shares[0] === 1 ? "finished" : "stepping", step: 0, sinceMs: clock.wallNow(), why, run };
}
