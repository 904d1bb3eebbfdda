import type { Clock, Random } from "../../core/clock.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { choice, number } from "../../core/settings/rules.ts";
import { clockRule, randomRule } from "../picker-options.ts";

/** Options of `weighted`. */
export interface WeightedOptions {
  /**
   * Source of the weights. `"static"`: discovery. `"reported"`: the load reports of the instances (gRFC A58). The options below
   * that name `"reported"` have no effect on static weights. @default "static"
   */
  readonly by?: "static" | "reported";
  /** `"reported"`: time for which an instance must have reported before its weight is used, in milliseconds, 0 or more. @default 10000 */
  readonly blackoutMs?: number;
  /** `"reported"`: time for which a report is used, in milliseconds, 1 or more. @default 180000 */
  readonly expirationMs?: number;
  /** `"reported"`: interval at which weights are computed from the reports, in milliseconds, 100 or more. @default 1000 */
  readonly updateMs?: number;
  /** `"reported"`: added to the utilization at an error rate of 1; 0 or more. @default 1 */
  readonly errorUtilizationPenalty?: number;
  /** Chooses where a schedule begins and the instance of a retry; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** `"reported"`: clock that the times are measured with. @default the mesh's */
  readonly clock?: Clock;
}

/** The rules of {@link WeightedOptions}. */
export const weightedOptions = optionTable<WeightedOptions>()({
  by: choice(["static", "reported"], "static"),
  blackoutMs: number({ default: 10_000, min: 0, unit: "ms" }),
  expirationMs: number({ default: 180_000, min: 1, unit: "ms" }),
  updateMs: number({ default: 1_000, min: 100, unit: "ms" }),
  errorUtilizationPenalty: number({ default: 1, min: 0, max: Number.MAX_SAFE_INTEGER }),
  random: randomRule,
  clock: clockRule,
});

/** {@link WeightedOptions} with the defaults filled in. */
export type WeightedSettings = Settled<typeof weightedOptions.rules>;
