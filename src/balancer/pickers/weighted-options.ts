import type { Clock, Random } from "../../core/clock.ts";
import { checkChoice, checkFunction, checkKeys, checkNumber, checkObject } from "../../core/options.ts";

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

/** {@link WeightedOptions} with the defaults filled in; random numbers and clock stay open until the service is known. */
export type WeightedSettings = Required<Omit<WeightedOptions, "random" | "clock">> & Pick<WeightedOptions, "random" | "clock">;

const optionKeys = ["by", "blackoutMs", "expirationMs", "updateMs", "errorUtilizationPenalty", "random", "clock"];

/**
 * Checks the options and fills in the defaults.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function weightedSettings(options: WeightedOptions): WeightedSettings {
  const { by = "static", blackoutMs = 10_000, expirationMs = 180_000, updateMs = 1_000, errorUtilizationPenalty = 1 } = options;
  checkKeys("weighted", options, optionKeys);
  checkChoice("weighted: by", by, ["static", "reported"]);
  checkNumber("weighted: blackoutMs", blackoutMs, 0);
  checkNumber("weighted: expirationMs", expirationMs, 1);
  checkNumber("weighted: updateMs", updateMs, 100);
  checkNumber("weighted: errorUtilizationPenalty", errorUtilizationPenalty, 0, Number.MAX_SAFE_INTEGER);
  checkFunction("weighted: random", options.random);
  checkObject("weighted: clock", options.clock);
  return { ...options, by, blackoutMs, expirationMs, updateMs, errorUtilizationPenalty };
}
