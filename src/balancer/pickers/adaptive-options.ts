import type { Clock, Random } from "../../core/clock.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { number } from "../../core/settings/rules.ts";
import { clockRule, randomRule } from "../picker-options.ts";

/** Options of {@link adaptive}. */
export interface AdaptiveOptions {
  /** Time constant in which responses are forgotten, in milliseconds, 1 or more. @default 30000 */
  readonly decayMs?: number;
  /** Time in which the failure rate of an instance halves while no attempt is sent to it, in milliseconds, 1 or more. @default 10000 */
  readonly failureHalfLifeMs?: number;
  /** Number of requests in flight that cost as much as a failure rate of 1; 0 = failures cost nothing. @default 100 */
  readonly failureWeight?: number;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** Clock that latency is measured with. @default the mesh's */
  readonly clock?: Clock;
}

/** Rules of the options. */
export const adaptiveOptions = optionTable<AdaptiveOptions>()({
  decayMs: number({ default: 30_000, min: 1, unit: "ms" }),
  failureHalfLifeMs: number({ default: 10_000, min: 1, unit: "ms" }),
  failureWeight: number({ default: 100, min: 0, max: Number.MAX_SAFE_INTEGER }),
  random: randomRule,
  clock: clockRule,
});

export type AdaptiveSettings = Settled<typeof adaptiveOptions.rules>;
